//! The orders of the demo's two weeks: who buys what, and how far it comes. Pure. Invariant: every state that an order can be in is there.

/// How an order is paid.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pay {
    /// By card; money is taken when it ships.
    Card,
    /// By a card that the bank declines.
    Declined,
    /// By bank transfer that arrives the next day.
    Transfer,
    /// By bank transfer that has not arrived.
    NoTransfer,
    /// Half by one card, half by another.
    TwoCards,
    /// Cash on delivery.
    OnDelivery,
}

/// How far an order comes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Fate {
    /// Called off by the customer.
    Cancelled,
    /// On hold by somebody of ours.
    OnHold,
    /// Waits: for its payment, for a reviewer, for stock, or just for its turn.
    Waits,
    /// Picked.
    Picked,
    /// In a parcel.
    Packed,
    /// With a label.
    Labelled,
    /// On its way.
    Shipped,
    /// There.
    Delivered,
    /// Lost on its way.
    Lost,
    /// The customer asks to give it back.
    ReturnAsked,
    /// Given back for money.
    Refunded,
    /// Given back for store credit.
    Credited,
    /// Given back for something else.
    Exchanged,
}

impl Fate {
    /// Whether it is picked, packed and so on.
    pub fn fulfils(self) -> bool {
        self >= Self::Picked
    }
    /// Whether a return follows.
    pub fn returns(self) -> bool {
        self >= Self::ReturnAsked
    }
}

/// An order of the demo.
#[derive(Debug, Clone)]
pub struct Script {
    /// Day of the two weeks, from 0.
    pub day: i64,
    /// Minutes after nine.
    pub minute: i64,
    /// Who buys; see [`BUYERS`].
    pub buyer: usize,
    /// SKUs and quantities.
    pub lines: Vec<(&'static str, i64)>,
    /// How it is paid.
    pub pay: Pay,
    /// How far it comes.
    pub fate: Fate,
    /// Before the others.
    pub express: bool,
    /// For the parcel.
    pub gift_note: Option<&'static str>,
}

/// Days of the demo.
pub const DAYS: i64 = 14;

/// Name, street, postal code, city, country.
pub const BUYERS: &[(&str, &str, &str, &str, &str)] = &[
    ("Anna Berger", "Lindenstraße 12", "10969", "Berlin", "DE"),
    ("Jonas Keller", "Hauptstraße 5", "50667", "Köln", "DE"),
    ("Marie Dubois", "12 rue de Rivoli", "75004", "Paris", "FR"),
    ("Lukas Gruber", "Mariahilfer Straße 88", "1070", "Wien", "AT"),
    ("Sanne de Vries", "Prinsengracht 201", "1015 DT", "Amsterdam", "NL"),
    ("Tobias Schmitt", "Schillerplatz 3", "70173", "Stuttgart", "DE"),
    ("Élise Martin", "5 place Bellecour", "69002", "Lyon", "FR"),
    ("Paul Wagner", "Neumarkt 9", "01067", "Dresden", "DE"),
    ("Noor Jansen", "Oudegracht 45", "3511 AB", "Utrecht", "NL"),
    ("Katharina Huber", "Getreidegasse 20", "5020", "Salzburg", "AT"),
    ("Felix Braun", "Leopoldstraße 77", "80802", "München", "DE"),
    ("Lotte Peeters", "Meir 30", "2000", "Antwerpen", "BE"),
    ("Mia Hoffmann", "Königsallee 14", "40212", "Düsseldorf", "DE"),
    ("Hugo Laurent", "8 quai des Belges", "13001", "Marseille", "FR"),
];

/// Baskets of everyday orders.
const BASKETS: &[&[(&str, i64)]] = &[
    &[("BEANS-HOUSE-1K", 2)],
    &[("SET-POUROVER", 1), ("BEANS-ETH-250", 2)],
    &[("MUG-BLUE", 2), ("MUG-SAND", 1)],
    &[("KETTLE-1L", 1)],
    &[("SET-TASTING", 1)],
    &[("GRINDER-H", 1), ("BRUSH", 1)],
    &[("PRESS-8", 1), ("BEANS-COL-250", 1)],
    &[("SET-MUGS-4", 1)],
    &[("SCALE-2K", 1), ("FILTER-02-100", 3)],
    &[("TEA-ASSAM-100", 3)],
    &[("MOKA-6", 1), ("ESPRESSO-CUP", 4)],
];

/// All orders, by time.
pub fn orders() -> Vec<Script> {
    let order = |day, minute, buyer, lines: &[(&'static str, i64)], pay, fate| Script {
        day,
        minute,
        buyer,
        lines: lines.to_vec(),
        pay,
        fate,
        express: false,
        gift_note: None,
    };
    use Fate::*;
    use Pay::*;
    let mut all = vec![
        order(0, 5, 0, &[("GRINDER-H", 1), ("BEANS-ETH-250", 2)], Card, Refunded),
        order(1, 30, 2, &[("MUG-BLUE", 4)], TwoCards, Exchanged),
        order(1, 65, 5, &[("PRESS-8", 1)], Card, Credited),
        order(2, 10, 10, &[("MACHINE-E1", 1)], Card, Delivered),
        order(3, 45, 3, &[("KETTLE-1L", 1), ("SCALE-2K", 1)], Transfer, Delivered),
        order(3, 80, 6, &[("SET-POUROVER", 2)], Card, Lost),
        order(4, 20, 8, &[("TRAVEL-MUG", 3)], Card, Delivered),
        order(5, 15, 1, &[("TRAVEL-MUG", 3)], Card, Delivered),
        order(6, 50, 4, &[("TRAVEL-MUG", 3)], Card, Delivered),
        order(6, 70, 12, &[("DRIPPER-02", 1), ("FILTER-02-100", 2)], Card, ReturnAsked),
        order(7, 40, 7, &[("MOKA-6", 1)], OnDelivery, Delivered),
        order(9, 25, 9, &[("MACHINE-E2", 2)], Card, Waits),
        order(10, 35, 11, &[("TAMPER-58", 1), ("CLEANER-500", 1)], Declined, Waits),
        order(11, 30, 13, &[("SERVER-600", 1)], NoTransfer, Waits),
        order(11, 55, 0, &[("ESPRESSO-CUP", 6)], Card, Cancelled),
        order(12, 20, 2, &[("SET-MUGS-4", 1)], Card, OnHold),
        order(12, 90, 5, &[("BEANS-HOUSE-1K", 1), ("FILTER-02-100", 1)], Card, Picked),
        order(12, 100, 8, &[("SCALE-2K", 1)], Card, Packed),
        order(12, 110, 1, &[("MUG-SAND", 2), ("TEA-ASSAM-100", 1)], Card, Labelled),
        order(13, 15, 3, &[("BEANS-ETH-250", 4)], Card, Waits),
    ];
    all[4].gift_note = Some("Happy birthday, Lukas!");
    all[6].express = true;
    for n in 0..22 {
        let day = n * 13 / 22;
        let fate = if day <= 8 {
            Delivered
        } else if day <= 11 {
            Shipped
        } else {
            Waits
        };
        let (buyer, basket) =
            ((n * 5 + 3) as usize % BUYERS.len(), BASKETS[(n * 7 + 2) as usize % BASKETS.len()]);
        all.push(Script {
            express: n % 6 == 4,
            ..order(day, 120 + (n * 37) % 200, buyer, basket, Card, fate)
        });
    }
    all.sort_by_key(|s| (s.day, s.minute));
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn some_forty_orders_in_all_states_within_the_two_weeks() {
        let all = orders();
        assert_eq!(all.len(), 42);
        for fate in [
            Fate::Cancelled,
            Fate::OnHold,
            Fate::Waits,
            Fate::Picked,
            Fate::Packed,
            Fate::Labelled,
            Fate::Shipped,
            Fate::Delivered,
            Fate::Lost,
            Fate::ReturnAsked,
            Fate::Refunded,
            Fate::Credited,
            Fate::Exchanged,
        ] {
            assert!(all.iter().any(|s| s.fate == fate), "{fate:?}");
        }
        assert!(all.iter().all(|s| (0..DAYS).contains(&s.day) && s.buyer < BUYERS.len()));
    }
}
