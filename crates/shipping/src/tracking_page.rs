//! Where carriers show a parcel to anybody. Invariant: a tracking number stands in the address escaped, so that what a carrier or an import
//! called a parcel leads nowhere else.

/// Codes of carriers, as they begin, and the address that ends with the tracking number.
const PAGES: &[(&str, &str)] = &[
    ("australia_post", "https://auspost.com.au/mypost/track/details/"),
    ("canada_post", "https://www.canadapost-postescanada.ca/track-reperage/en#/search?searchFor="),
    ("colissimo", "https://www.laposte.fr/outils/suivre-vos-envois?code="),
    ("correos", "https://www.correos.es/es/es/herramientas/localizador/envios/detalle?tracking-number="),
    ("dhl", "https://www.dhl.com/global-en/home/tracking.html?submit=1&tracking-id="),
    ("dpd", "https://tracking.dpd.de/status/en_US/parcel/"),
    ("fedex", "https://www.fedex.com/fedextrack/?trknbr="),
    ("gls", "https://gls-group.com/EU/en/parcel-tracking?match="),
    ("la_poste", "https://www.laposte.fr/outils/suivre-vos-envois?code="),
    ("royal_mail", "https://www.royalmail.com/track-your-item#/tracking-results/"),
    ("ups", "https://www.ups.com/track?tracknum="),
    ("usps", "https://tools.usps.com/go/TrackConfirmAction?tLabels="),
];

/// The page of a parcel at its carrier, where the carrier is one we know a page of: `dhl`, `dhl_express`, `DHL-paket`.
pub fn tracking_page(carrier: &str, number: &str) -> Option<String> {
    let code = carrier.trim().to_ascii_lowercase().replace(['-', ' '], "_");
    let names =
        |name: &str| code.strip_prefix(name).is_some_and(|rest| rest.is_empty() || rest.starts_with('_'));
    let (_, page) = PAGES.iter().find(|(name, _)| names(name))?;
    let number = number.trim();
    if number.is_empty() {
        return None;
    }
    let mut address = (*page).to_owned();
    for byte in number.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' => address.push(char::from(byte)),
            other => address.push_str(&format!("%{other:02X}")),
        }
    }
    Some(address)
}

#[cfg(test)]
mod tests {
    use super::tracking_page;

    #[test]
    fn a_number_leads_to_its_carrier_and_nowhere_else() {
        let dpd = Some("https://tracking.dpd.de/status/en_US/parcel/0123456".to_owned());
        assert_eq!(tracking_page("dpd", "0123456"), dpd);
        assert_eq!(tracking_page("DPD classic", " 0123456 "), dpd);
        let odd = tracking_page("dpd", "../a?b=<c>&d#e").unwrap();
        assert_eq!(odd, "https://tracking.dpd.de/status/en_US/parcel/%2E%2E%2Fa%3Fb%3D%3Cc%3E%26d%23e");
        for (carrier, number) in [("post", "1"), ("dpdx", "1"), ("", "1"), ("dpd", " ")] {
            assert_eq!(tracking_page(carrier, number), None, "{carrier} {number}");
        }
    }
}
