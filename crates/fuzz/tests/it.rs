//! Every target, by name, over its seeds and mutations of them. Invariant: the inputs are the same in every run, so a failure repeats.

/// `FULMAR_FUZZ_TIMES=100` makes the run a hundred times as long.
fn drive(name: &str) {
    let target = fuzz::find(name);
    let times = std::env::var("FULMAR_FUZZ_TIMES").ok().and_then(|n| n.parse().ok()).unwrap_or(1);
    let seeds = (target.seeds)();
    assert!(!seeds.is_empty());
    for input in fuzz::Mutations::new(seeds.clone()).take(seeds.len() + target.runs * times) {
        let told = Told(&input);
        (target.run)(&input);
        drop(told);
    }
    fuzz::settle();
}

/// Shows the input that a panic came of.
struct Told<'a>(&'a [u8]);

impl Drop for Told<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("the input was:\n{}", self.0.escape_ascii());
        }
    }
}

macro_rules! targets {
    ($($name:ident)*) => {
        $(
            #[test]
            fn $name() {
                drive(stringify!($name));
            }
        )*
        #[test]
        fn every_target_is_driven() {
            let driven = [$(stringify!($name)),*];
            let all: Vec<&str> = fuzz::TARGETS.iter().map(|t| t.name).collect();
            assert_eq!(all, driven);
        }
    };
}

targets! {
    orders_csv skus_csv olist online_retail numbers times ids address phone email gateway_webhook carrier_webhook answers barcode label picture plan_file
    api order_json mail_template webhook_taken restore
}
