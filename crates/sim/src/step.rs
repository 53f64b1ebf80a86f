//! What a merchant can do in a simulation, as data. Invariant: a step names orders by the number the seed gave them, never by what earlier
//! steps led to, so that any step can be left out and the others still mean the same.

/// An order of the simulation, by the number its seed gave it.
pub type No = u32;

/// A line of a wish.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Item {
    /// Index of the SKU in the shop.
    pub sku: usize,
    /// Units.
    pub units: i64,
    /// Minor units, with tax.
    pub price: i64,
    /// Off the line.
    pub off: i64,
}

/// How an order is paid.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pay {
    /// The channel took the money through the gateway before it told us.
    Before,
    /// By card; at once, or when units ship.
    Card {
        /// Capture at once.
        now: bool,
        /// What the card does.
        card: Card,
    },
    /// By bank transfer.
    Transfer,
    /// Cash on delivery.
    Cash,
    /// Some store credit, and a card for the rest.
    Credit {
        /// Minor units of store credit.
        credit: i64,
    },
    /// On account.
    Later,
}

/// What a card does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Card {
    /// Pays.
    Good,
    /// Does not.
    Bad,
    /// The customer has to act at the gateway first.
    Asks,
}

/// An order somebody wants.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wish {
    /// Its number.
    pub no: No,
    /// Which customer.
    pub customer: u32,
    /// What.
    pub items: Vec<Item>,
    /// Off the order.
    pub off: i64,
    /// Shipping, with tax.
    pub shipping: i64,
    /// Fee.
    pub fee: i64,
    /// How it is paid.
    pub pay: Pay,
    /// Wait for stock rather than be refused.
    pub wait: bool,
    /// The channel's reference, for orders that exist elsewhere.
    pub reference: Option<u32>,
    /// The cart's reservation, by its number.
    pub cart: Option<u32>,
}

/// What happens to stock.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stock {
    /// Goods come in.
    Receive {
        /// Cost of a unit.
        cost: i64,
    },
    /// Ordered from the supplier; some of it comes, more than was ordered is refused and then explained, and what is missing is cancelled.
    Buy {
        /// Cost of a unit.
        cost: i64,
    },
    /// A sheet of the location: counted so many more or fewer than are there, and approved after something moved.
    Sheet,
    /// Found (or lost, when negative).
    Adjust,
    /// Counted: so many more or fewer than are there.
    Count,
    /// To the next location.
    Transfer,
    /// Put aside.
    Aside,
    /// Back from there.
    Back,
    /// Written off from there.
    WriteOff,
    /// What sourcing leaves on the shelf.
    Safety,
}

/// How units are picked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum How {
    /// By line.
    Line,
    /// By scanning the SKU's code.
    Scan,
    /// By scanning something else.
    Wrong,
    /// One more than there is to pick.
    Over,
}

/// How a box is filled at the pack station.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Boxed {
    /// Everything is scanned into it.
    All,
    /// A piece is taken out again, and it is closed without.
    ButOne,
}

/// What a carrier says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Said {
    /// On its way.
    OnTheWay,
    /// Something is wrong.
    Trouble,
    /// Lost.
    Lost,
    /// There.
    Delivered,
    /// Back to us.
    Back,
}

/// What the customer gets for what comes back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum For {
    /// Money.
    Money,
    /// Store credit.
    Credit,
    /// Something else: one unit of a SKU, as an order of this number.
    Instead {
        /// The new order.
        no: No,
        /// Index of the SKU.
        sku: usize,
        /// Price of a unit.
        price: i64,
    },
}

/// What becomes of a returned unit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    /// On the shelf again.
    Shelf,
    /// Put aside.
    Aside,
    /// Thrown away.
    Scrap,
    /// Not accepted.
    Rejected,
}

/// What is done with a receiver of webhooks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Hook {
    /// Switched off.
    Off,
    /// Switched on, and sent again what died.
    On,
}

/// One thing that happens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// Orders come in together.
    Place(Vec<Wish>),
    /// The program dies while it takes orders, after so many transactions; the client asks again with the same key.
    PlaceAndDie(Wish, u64),
    /// A wish comes again: with its key, or with its key and something else in it.
    Again(Wish, bool),
    /// Somebody stops an order.
    Hold(No),
    /// All reasons not to go on are taken away (reviews: approved).
    Unhold(Vec<No>),
    /// A reviewer says no.
    Reject(No),
    /// The customer has moved: within the country, or out of it.
    Move(No, bool),
    /// Units are cancelled: of a line, or all that can be.
    Cancel {
        /// The order.
        no: No,
        /// Line and units; absent: everything.
        line: Option<(usize, i64)>,
        /// Pay back what is too much.
        refund: bool,
    },
    /// To the floor.
    Release(Vec<No>),
    /// Third parties and suppliers are asked.
    Ask(Vec<No>),
    /// They do it.
    Accept(Vec<No>),
    /// They do not.
    Decline(No),
    /// Picked.
    Pick(Vec<No>, How),
    /// The shelf has fewer.
    Short(No, i64),
    /// Put back.
    Unpick(No),
    /// Packed.
    Pack(Vec<No>),
    /// Scanned into boxes piece by piece.
    Station(Vec<No>, Boxed),
    /// Taken apart.
    Unpack(No),
    /// Labels: of the carrier that is called, or of rate cards.
    Label(Vec<No>, bool),
    /// The label is given back.
    Unlabel(No),
    /// Handed over.
    Ship(Vec<No>),
    /// A carrier says something, perhaps twice.
    Track(Vec<No>, Said, bool),
    /// A carrier scans parcels, and sends messages of it: one for all, or one each.
    Scan(Vec<No>, Said, bool),
    /// Somebody else sends such messages.
    Forge(Vec<No>, Said),
    /// A receiver of webhooks is switched.
    Hook(usize, Hook),
    /// The e-mails of an order are sent again.
    Resend(No),
    /// So many thousandths of what is authorised are captured.
    Capture(No, i64),
    /// What is authorised is let go.
    Void(No),
    /// Goodwill, in minor units.
    Refund {
        /// The order.
        no: No,
        /// Minor units.
        amount: i64,
        /// To store credit.
        credit: bool,
    },
    /// So many thousandths of a transfer arrive.
    Arrives(Vec<No>, i64),
    /// The customer's bank takes back so many thousandths of a payment.
    Dispute(No, i64),
    /// A dispute ends.
    Disputed(No, bool),
    /// Store credit is given.
    Grant(No, i64),
    /// The customers of two orders turn out to be one person.
    Merge {
        /// Whose order survives.
        no: No,
        /// Who is merged into them: the customer of this order.
        other: No,
        /// Keep the e-mail address of the one who is merged.
        swap: bool,
    },
    /// Units are asked back.
    Return {
        /// The order.
        no: No,
        /// Which line.
        line: usize,
        /// Units.
        units: i64,
        /// Our fault: shipping too.
        ours: bool,
    },
    /// Returns are approved.
    Approve(No),
    /// Returns are declined.
    Refuse(No),
    /// Units come in at a location.
    Arrive(No, usize),
    /// Units are looked at.
    Inspect(No, Fate),
    /// The customer gets what is due.
    Settle(No, For),
    /// Something happens to units of a SKU at a location.
    Shelf {
        /// What.
        stock: Stock,
        /// Index of the SKU.
        sku: usize,
        /// Index of the location.
        place: usize,
        /// Units.
        units: i64,
    },
    /// A cart keeps units for some minutes.
    Reserve {
        /// Its number.
        cart: u32,
        /// Index of the SKU.
        sku: usize,
        /// Units.
        units: i64,
        /// Minutes.
        minutes: i64,
    },
    /// The cart is given up.
    Unreserve(u32),
    /// The books of last month are closed.
    Close,
    /// Time passes, in seconds.
    Wait(i64),
    /// Background work, so many rounds.
    Work(u64),
    /// The program dies in the middle of background work, after so many transactions.
    WorkAndDie(u64),
    /// The program dies and starts again.
    Die,
    /// The messages of gateway and carriers come in: late, twice, in any order.
    Messages(u64),
}

impl Step {
    /// Its name, for counts.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Place(..) => "place",
            Self::PlaceAndDie(..) => "place_and_die",
            Self::Again(..) => "again",
            Self::Hold(..) => "hold",
            Self::Unhold(..) => "unhold",
            Self::Reject(..) => "reject",
            Self::Move(..) => "move",
            Self::Cancel { .. } => "cancel",
            Self::Release(..) => "release",
            Self::Ask(..) => "ask",
            Self::Accept(..) => "accept",
            Self::Decline(..) => "decline",
            Self::Pick(..) => "pick",
            Self::Short(..) => "short",
            Self::Unpick(..) => "unpick",
            Self::Pack(..) => "pack",
            Self::Station(..) => "station",
            Self::Unpack(..) => "unpack",
            Self::Label(..) => "label",
            Self::Unlabel(..) => "unlabel",
            Self::Ship(..) => "ship",
            Self::Track(..) => "track",
            Self::Scan(..) => "scan",
            Self::Forge(..) => "forge",
            Self::Hook(..) => "hook",
            Self::Resend(..) => "resend",
            Self::Capture(..) => "capture",
            Self::Void(..) => "void",
            Self::Refund { .. } => "refund",
            Self::Arrives(..) => "arrives",
            Self::Dispute(..) => "dispute",
            Self::Disputed(..) => "disputed",
            Self::Grant(..) => "grant",
            Self::Merge { .. } => "merge",
            Self::Return { .. } => "return",
            Self::Approve(..) => "approve",
            Self::Refuse(..) => "refuse",
            Self::Arrive(..) => "arrive",
            Self::Inspect(..) => "inspect",
            Self::Settle(..) => "settle",
            Self::Shelf { .. } => "shelf",
            Self::Reserve { .. } => "reserve",
            Self::Unreserve(..) => "unreserve",
            Self::Close => "close",
            Self::Wait(..) => "wait",
            Self::Work(..) => "work",
            Self::WorkAndDie(..) => "work_and_die",
            Self::Die => "die",
            Self::Messages(..) => "messages",
        }
    }
}
