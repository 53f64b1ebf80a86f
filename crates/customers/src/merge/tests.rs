//! The decision, by tables and properties: no cent, no contact and no “no” is lost.

use super::*;
use kernel::Refuse;
use proptest::prelude::*;

fn row(id: i64, email: Option<&str>, phone: Option<&str>) -> Row {
    Row {
        id: CustomerId(id),
        name: format!("Nr {id}"),
        email: email.map(str::to_owned),
        email_key: email.map(str::to_owned),
        phone: phone.map(str::to_owned),
        address: None,
        merged_into: None,
    }
}

fn who(id: i64) -> Person {
    let email = format!("{id}@x");
    Person { row: row(id, Some(&email), None), words: BTreeMap::new(), credit: BTreeMap::new() }
}

fn said(mut person: Person, channel: Channel, given: bool) -> Person {
    person.words.insert(channel, (given, Timestamp(1)));
    person
}

fn eur(mut person: Person, minor: i64) -> Person {
    person.credit.insert("EUR".parse().unwrap(), minor);
    person
}

#[test]
fn who_cannot_be_merged() {
    let code = |into: &Person, from: &Person| decide(into, from, Keep::default()).map_err(|r| r.code());
    assert_eq!(code(&who(1), &who(1)), Err("customers.merge_with_itself"));
    let mut gone = who(2);
    gone.row.merged_into = Some(CustomerId(1));
    assert_eq!(code(&who(1), &gone), Err("customers.merge_with_itself"), "it was done before");
    gone.row.merged_into = Some(CustomerId(3));
    assert_eq!(code(&who(1), &gone), Err("customers.merged_already"));
    let (rich, richer) = (eur(who(1), MAX_BALANCE - 4), eur(who(2), 5));
    assert_eq!(code(&rich, &richer), Err("customers.merged_credit_too_large"));
    assert!(code(&rich, &eur(who(2), 4)).is_ok());
    assert!(code(&eur(who(1), MAX_BALANCE), &who(2)).is_ok(), "nothing comes to it");
}

#[test]
fn what_is_kept() {
    let wish = |email, phone| Keep { email, phone, ..Keep::default() };
    let (here, there) = (Side::Survivor, Side::Merged);
    for (mine, theirs, wished, expected) in [
        ((Some("a"), None), (Some("b"), None), wish(here, here), (here, here)),
        ((Some("a"), None), (Some("b"), None), wish(there, there), (there, here)),
        ((None, None), (Some("b"), Some("+1")), wish(here, here), (there, there)),
        ((Some("a"), Some("+1")), (None, None), wish(there, there), (here, here)),
    ] {
        let person = |id, (email, phone)| Person { row: row(id, email, phone), ..who(id) };
        let plan = decide(&person(1, mine), &person(2, theirs), wished).unwrap();
        assert_eq!((plan.kept.email, plan.kept.phone), expected, "{mine:?} {theirs:?} {wished:?}");
    }
}

#[test]
fn a_no_is_a_no_and_a_yes_is_for_the_contact_that_is_kept() {
    let (here, there) = (Side::Survivor, Side::Merged);
    let word = |of, given| Word { of, channel: Channel::Email, given };
    for (mine, theirs, email, expected) in [
        (None, None, here, vec![]),
        (Some(true), None, here, vec![]),
        (Some(true), None, there, vec![word(here, false)]),
        (None, Some(true), here, vec![word(there, false)]),
        (None, Some(true), there, vec![word(there, false), word(here, true)]),
        (Some(true), Some(true), here, vec![word(there, false)]),
        (Some(true), Some(false), here, vec![word(here, false)]),
        (Some(false), Some(true), there, vec![word(there, false)]),
        (Some(false), Some(false), here, vec![]),
    ] {
        let person = |id, word: Option<bool>| match word {
            Some(given) => said(who(id), Channel::Email, given),
            None => who(id),
        };
        let keep = Keep { email, ..Keep::default() };
        let plan = decide(&person(1, mine), &person(2, theirs), keep).unwrap();
        assert_eq!(plan.words, expected, "{mine:?} {theirs:?} {email:?}");
    }
    // Nobody knows an address of either: the consent is of the person.
    let plan = decide(&who(1), &said(who(2), Channel::Post, true), Keep::default()).unwrap();
    let post = |of, given| Word { of, channel: Channel::Post, given };
    assert_eq!(plan.words, [post(there, false), post(here, true)]);
}

fn side() -> impl Strategy<Value = Side> {
    prop_oneof![Just(Side::Survivor), Just(Side::Merged)]
}

prop_compose! {
    fn person(id: i64)(
        email in any::<bool>(), phone in any::<bool>(), address in any::<bool>(),
        words in prop::collection::btree_map(prop::sample::select(Channel::ALL.to_vec()), any::<bool>(), 0..4),
        credit in prop::collection::btree_map(prop::sample::select(vec!["EUR", "JPY", "USD"]), 1i64..1_000_000, 0..3),
    ) -> Person {
        let mut row = row(id, email.then_some("e"), phone.then_some("p"));
        row.address = address.then(|| "{}".to_owned());
        Person {
            row,
            words: words.into_iter().map(|(c, given)| (c, (given, Timestamp(1)))).collect(),
            credit: credit.into_iter().map(|(c, minor)| (c.parse().unwrap(), minor)).collect(),
        }
    }
}

proptest! {
    #[test]
    fn nothing_is_lost(
        into in person(1), from in person(2), name in side(), email in side(), phone in side(), address in side()
    ) {
        let plan = decide(&into, &from, Keep { name, email, phone, address }).unwrap();
        let has = |side: Side, of: fn(&Row) -> bool| of(if side == Side::Survivor { &into.row } else { &from.row });
        for (side, of) in [
            (plan.kept.email, (|r: &Row| r.email_key.is_some()) as fn(&Row) -> bool),
            (plan.kept.phone, |r: &Row| r.phone.is_some()),
            (plan.kept.address, |r: &Row| r.address.is_some()),
        ] {
            prop_assert_eq!(has(side, of), of(&into.row) || of(&from.row), "a contact there is, is kept");
        }
        let moved: BTreeMap<Currency, i64> = plan.credit.iter().map(|m| (m.currency, m.minor)).collect();
        prop_assert_eq!(&moved, &from.credit, "every cent moves");
        for channel in Channel::ALL {
            let before = |p: &Person| p.words.get(&channel).map(|(given, _)| *given);
            let after = |of: Side, p: &Person| {
                plan.words.iter().rev().find(|w| w.of == of && w.channel == channel).map(|w| w.given).or(before(p))
            };
            prop_assert_ne!(after(Side::Merged, &from), Some(true), "nothing holds of who was merged");
            let no = before(&into) == Some(false) || before(&from) == Some(false);
            let yes = before(&into) == Some(true) || before(&from) == Some(true);
            let holds = after(Side::Survivor, &into) == Some(true);
            prop_assert!(!(holds && no), "a no is a no");
            prop_assert!(!holds || yes, "nobody is written to who never said yes");
            // Words alternate, and begin with a yes: what is said changes what holds.
            for of in [Side::Survivor, Side::Merged] {
                let mut now = before(if of == Side::Survivor { &into } else { &from });
                for word in plan.words.iter().filter(|w| w.of == of && w.channel == channel) {
                    prop_assert_ne!(now.unwrap_or(false), word.given);
                    now = Some(word.given);
                }
            }
        }
    }
}
