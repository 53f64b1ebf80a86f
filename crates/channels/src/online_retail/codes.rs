//! What a stock code stands for: most are goods, some are the till's way to write money down.

/// What a row of this code is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Code {
    /// A thing with stock.
    Goods,
    /// A gift voucher: sold like goods, owed instead of shipped, without stock.
    GiftVoucher,
    /// Money and no thing.
    Charge(ChargeKind),
}

/// Why money was charged or given. The sign of the amount says which.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum ChargeKind {
    /// `POST`, `DOT`, `C2`: postage and carriage.
    Shipping,
    /// `BANK CHARGES`.
    BankFee,
    /// `AMAZONFEE`: what the marketplace kept.
    MarketplaceFee,
    /// `D`.
    Discount,
    /// `M`: entered by hand, nothing says for what.
    Manual,
    /// `CRUK`: commission given to Cancer Research UK.
    Commission,
    /// `S`: samples.
    Samples,
    /// `B`: bad debt written off or restored.
    BadDebt,
}

impl ChargeKind {
    /// The word used in references, journals and summaries.
    pub fn word(self) -> &'static str {
        match self {
            ChargeKind::Shipping => "shipping",
            ChargeKind::BankFee => "bank_fee",
            ChargeKind::MarketplaceFee => "marketplace_fee",
            ChargeKind::Discount => "discount",
            ChargeKind::Manual => "manual",
            ChargeKind::Commission => "commission",
            ChargeKind::Samples => "samples",
            ChargeKind::BadDebt => "bad_debt",
        }
    }
}

/// Classifies a stock code in upper case.
///
/// # Errors
/// A reason naming the code when it is neither a known word nor shaped like a product code (which has a digit,
/// `DCGS…` excepted, or is `PADS`).
pub fn classify(code: &str) -> Result<Code, String> {
    Ok(Code::Charge(match code {
        "POST" | "DOT" | "C2" => ChargeKind::Shipping,
        "BANK CHARGES" => ChargeKind::BankFee,
        "AMAZONFEE" => ChargeKind::MarketplaceFee,
        "D" => ChargeKind::Discount,
        "M" => ChargeKind::Manual,
        "CRUK" => ChargeKind::Commission,
        "S" => ChargeKind::Samples,
        "B" => ChargeKind::BadDebt,
        code if code.starts_with("GIFT_") => return Ok(Code::GiftVoucher),
        code if code == "PADS" || code.starts_with("DCGS") => return Ok(Code::Goods),
        code if code.bytes().filter(u8::is_ascii_digit).count() >= 4 => return Ok(Code::Goods),
        code => return Err(format!("unknown stock code {code:?}")),
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_of_each_kind() {
        for code in ["85123A", "22423", "15056BL", "PADS", "DCGS0003", "DCGSSBOY"] {
            assert_eq!(classify(code), Ok(Code::Goods), "{code}");
        }
        assert_eq!(classify("GIFT_0001_20"), Ok(Code::GiftVoucher));
        for code in ["POST", "DOT", "C2"] {
            assert_eq!(classify(code), Ok(Code::Charge(ChargeKind::Shipping)), "{code}");
        }
        assert_eq!(classify("B"), Ok(Code::Charge(ChargeKind::BadDebt)));
        assert_eq!(classify("FOO"), Err("unknown stock code \"FOO\"".to_owned()));
    }
}
