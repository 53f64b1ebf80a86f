-- Time is microseconds since 1970, money is minor units beside a currency, JSON is TEXT. What a CHECK can hold, a CHECK holds.

-- ── the house ─────────────────────────────────────────────────────────────────────────────────────────────────────────────────
CREATE TABLE node_lease (node BIGINT PRIMARY KEY, holder BIGINT NOT NULL, expires_at BIGINT NOT NULL);
CREATE TABLE setting (key TEXT NOT NULL PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE timer (name TEXT NOT NULL PRIMARY KEY, next_at BIGINT NOT NULL);
CREATE TABLE answer (
  scope TEXT NOT NULL, key TEXT NOT NULL, hash TEXT NOT NULL, status BIGINT NOT NULL, body TEXT NOT NULL, at BIGINT NOT NULL,
  PRIMARY KEY (scope, key)
);
CREATE INDEX answer_at ON answer (at);
--sqlite CREATE TABLE counter (name TEXT NOT NULL PRIMARY KEY, value BIGINT NOT NULL);
--sqlite INSERT INTO counter (name, value) VALUES ('orders', 1000), ('returns', 1000), ('fulfilments', 1000), ('invoices', 1000), ('purchases', 1000);
--pg CREATE SEQUENCE orders_number START 1001;
--pg CREATE SEQUENCE returns_number START 1001;
--pg CREATE SEQUENCE fulfilments_number START 1001;
--pg CREATE SEQUENCE invoices_number START 1001;
--pg CREATE SEQUENCE purchases_number START 1001;

CREATE TABLE event (
  id BIGINT PRIMARY KEY,
  at BIGINT NOT NULL,                 -- when it happened
  recorded_at BIGINT NOT NULL,        -- when we learnt of it
  actor TEXT NOT NULL,
  kind TEXT NOT NULL,
  subject TEXT NOT NULL,              -- text id of what it is about
  order_id BIGINT,
  payload TEXT NOT NULL,
  pending BOOLEAN NOT NULL,           -- listeners have not been told yet
  origin TEXT                         -- where a person acted from
);
CREATE INDEX event_pending ON event (id) WHERE pending;
CREATE INDEX event_order ON event (order_id, at, id) WHERE order_id IS NOT NULL;
CREATE INDEX event_kind ON event (kind, id);
-- What people did, for the audit log: rows of programs cost nothing here.
CREATE INDEX event_of_people ON event (id) WHERE origin IS NOT NULL;
CREATE INDEX event_of_person ON event (actor, id) WHERE origin IS NOT NULL;
CREATE INDEX event_by_people_to ON event (subject, id) WHERE origin IS NOT NULL;

CREATE TABLE job (
  id BIGINT PRIMARY KEY, name TEXT NOT NULL, payload TEXT NOT NULL, dedup TEXT UNIQUE, run_at BIGINT NOT NULL, created_at BIGINT NOT NULL,
  attempts BIGINT NOT NULL DEFAULT 0, locked_until BIGINT, parked BOOLEAN NOT NULL DEFAULT FALSE, error TEXT
);
CREATE INDEX job_due ON job (run_at, id) WHERE NOT parked;

-- ── people and keys ───────────────────────────────────────────────────────────────────────────────────────────────────────────
CREATE TABLE user_account (
  id BIGINT PRIMARY KEY, email TEXT NOT NULL UNIQUE, name TEXT NOT NULL, password_hash TEXT NOT NULL, role TEXT NOT NULL,
  active BOOLEAN NOT NULL DEFAULT TRUE, created_at BIGINT NOT NULL,
  reset_generation BIGINT NOT NULL DEFAULT 0, reset_until BIGINT,     -- the link to a new password that is good, and until when
  totp_secret TEXT, totp_on_at BIGINT, totp_step BIGINT NOT NULL DEFAULT 0, -- sealed; since when it is asked for; the last step that was used
  CHECK (totp_on_at IS NULL OR totp_secret IS NOT NULL)
);
CREATE TABLE recovery_code (
  user_id BIGINT NOT NULL REFERENCES user_account (id), code_hash TEXT NOT NULL, used_at BIGINT, PRIMARY KEY (user_id, code_hash)
);
CREATE TABLE session (
  id_hash TEXT NOT NULL PRIMARY KEY, id BIGINT NOT NULL, user_id BIGINT NOT NULL REFERENCES user_account (id), created_at BIGINT NOT NULL, expires_at BIGINT NOT NULL,
  seen_at BIGINT NOT NULL, address TEXT NOT NULL, agent TEXT NOT NULL, waiting BOOLEAN NOT NULL   -- waiting: the password was right, the second factor is asked for
);
CREATE INDEX session_of_user ON session (user_id);
CREATE TABLE invitation (
  id BIGINT PRIMARY KEY, email TEXT NOT NULL, role TEXT NOT NULL, invited_by TEXT NOT NULL, created_at BIGINT NOT NULL, expires_at BIGINT NOT NULL,
  generation BIGINT NOT NULL DEFAULT 0, accepted_at BIGINT, revoked_at BIGINT, user_id BIGINT REFERENCES user_account (id),
  CHECK ((accepted_at IS NULL) = (user_id IS NULL)), CHECK (accepted_at IS NULL OR revoked_at IS NULL)
);
CREATE UNIQUE INDEX invitation_open ON invitation (email) WHERE accepted_at IS NULL AND revoked_at IS NULL;
CREATE TABLE api_key (
  id BIGINT PRIMARY KEY, name TEXT NOT NULL, hash TEXT NOT NULL UNIQUE, scopes TEXT NOT NULL, created_at BIGINT NOT NULL, revoked_at BIGINT,
  expires_at BIGINT, last_used_at BIGINT
);
-- What was refused to somebody: sign-ins and requests, for the audit log. Commands that were done are events.
CREATE TABLE attempt (
  id BIGINT PRIMARY KEY, at BIGINT NOT NULL, actor TEXT NOT NULL, origin TEXT, kind TEXT NOT NULL, subject TEXT NOT NULL, detail TEXT NOT NULL
);
CREATE INDEX attempt_actor ON attempt (actor, id);

-- ── catalog ───────────────────────────────────────────────────────────────────────────────────────────────────────────────────
CREATE TABLE supplier (id BIGINT PRIMARY KEY, code TEXT NOT NULL UNIQUE, name TEXT NOT NULL, created_at BIGINT NOT NULL);
CREATE TABLE sku (
  id BIGINT PRIMARY KEY,
  code TEXT COLLATE "C" NOT NULL UNIQUE,
  title TEXT COLLATE "C" NOT NULL,
  kind TEXT NOT NULL CHECK (kind IN ('simple', 'bundle', 'service')),   -- a service is sold but never stocked or shipped
  tax_class TEXT NOT NULL,
  weight_g BIGINT CHECK (weight_g >= 0), length_mm BIGINT CHECK (length_mm >= 0), width_mm BIGINT CHECK (width_mm >= 0), height_mm BIGINT CHECK (height_mm >= 0),
  supplier_id BIGINT REFERENCES supplier (id),
  active BOOLEAN NOT NULL DEFAULT TRUE,
  version BIGINT NOT NULL DEFAULT 1,
  created_at BIGINT NOT NULL
);
CREATE INDEX sku_title ON sku (LOWER(title), id);
CREATE TABLE sku_barcode (barcode TEXT NOT NULL PRIMARY KEY, sku_id BIGINT NOT NULL REFERENCES sku (id));
CREATE INDEX sku_barcode_sku ON sku_barcode (sku_id);
CREATE TABLE sku_price (sku_id BIGINT NOT NULL REFERENCES sku (id), currency TEXT NOT NULL, minor BIGINT NOT NULL CHECK (minor >= 0), PRIMARY KEY (sku_id, currency));
CREATE TABLE bundle_component (
  bundle_id BIGINT NOT NULL REFERENCES sku (id), component_id BIGINT NOT NULL REFERENCES sku (id), quantity BIGINT NOT NULL CHECK (quantity > 0),
  PRIMARY KEY (bundle_id, component_id), CHECK (bundle_id <> component_id)
);
CREATE TABLE tax_rate (
  country TEXT NOT NULL, region TEXT NOT NULL DEFAULT '', tax_class TEXT NOT NULL, rate_ppm BIGINT NOT NULL CHECK (rate_ppm BETWEEN 0 AND 1000000),
  PRIMARY KEY (country, region, tax_class)
);

-- A file of SKUs that somebody sent: read and shown first, written when they say so, in the background.
CREATE TABLE sku_import (
  id BIGINT PRIMARY KEY, name TEXT NOT NULL, by_actor TEXT NOT NULL, read_at BIGINT NOT NULL, confirmed_at BIGINT, ended_at BIGINT,
  total BIGINT NOT NULL CHECK (total >= 0),                  -- rows to be written
  done BIGINT NOT NULL DEFAULT 0, refused BIGINT NOT NULL DEFAULT 0,
  CHECK (done >= 0 AND refused >= 0 AND done + refused <= total),
  CHECK (ended_at IS NULL OR (confirmed_at IS NOT NULL AND done + refused = total)), CHECK (confirmed_at IS NOT NULL OR done + refused = 0)
);
CREATE TABLE sku_import_row (
  import_id BIGINT NOT NULL REFERENCES sku_import (id), position BIGINT NOT NULL,   -- the order of writing: components before bundles
  line BIGINT NOT NULL, code TEXT NOT NULL, change TEXT NOT NULL CHECK (change IN ('new', 'changed', 'same', 'wrong')),
  cells TEXT NOT NULL, about TEXT NOT NULL,                  -- what the file says; the columns that change, or what is wrong
  outcome TEXT CHECK (outcome IN ('done', 'refused')), why TEXT,
  PRIMARY KEY (import_id, position)
);

-- ── customers ─────────────────────────────────────────────────────────────────────────────────────────────────────────────────
CREATE TABLE customer (
  id BIGINT PRIMARY KEY, name TEXT COLLATE "C" NOT NULL,
  surname TEXT COLLATE "C",                                  -- the last word of the name first, as “berger anna”; none of a name of one word
  email TEXT, email_key TEXT COLLATE "C" UNIQUE, phone TEXT COLLATE "C" UNIQUE, address TEXT, created_at BIGINT NOT NULL,
  version BIGINT NOT NULL DEFAULT 1,
  merged_into BIGINT, merged_at BIGINT,                      -- the same person as that one, who has everything; the row keeps leading there
  CHECK ((merged_into IS NULL) = (merged_at IS NULL)), CHECK (merged_into IS NULL OR merged_into <> id)
);
CREATE INDEX customer_name ON customer (LOWER(name), id);
CREATE INDEX customer_surname ON customer (surname, id);
CREATE INDEX customer_merged ON customer (merged_into) WHERE merged_into IS NOT NULL;
CREATE TABLE customer_note (id BIGINT PRIMARY KEY, customer_id BIGINT NOT NULL REFERENCES customer (id), at BIGINT NOT NULL, by_actor TEXT NOT NULL, text TEXT NOT NULL);
CREATE INDEX customer_note_customer ON customer_note (customer_id);
-- What customers said on marketing, appended to: the newest word on a channel holds.
CREATE TABLE customer_consent (
  id BIGINT PRIMARY KEY, customer_id BIGINT NOT NULL REFERENCES customer (id), channel TEXT NOT NULL CHECK (channel IN ('email', 'sms', 'phone', 'post')),
  given BOOLEAN NOT NULL, at BIGINT NOT NULL, source TEXT NOT NULL, by_actor TEXT NOT NULL
);
CREATE INDEX customer_consent_customer ON customer_consent (customer_id, channel, at);
CREATE TABLE store_credit (
  customer_id BIGINT NOT NULL REFERENCES customer (id), currency TEXT NOT NULL, balance BIGINT NOT NULL CHECK (balance >= 0),
  PRIMARY KEY (customer_id, currency)
);
CREATE TABLE store_credit_entry (
  id BIGINT PRIMARY KEY, customer_id BIGINT NOT NULL, currency TEXT NOT NULL, amount BIGINT NOT NULL CHECK (amount <> 0), reason TEXT NOT NULL,
  order_id BIGINT, reference TEXT NOT NULL UNIQUE, at BIGINT NOT NULL
);
CREATE INDEX store_credit_entry_customer ON store_credit_entry (customer_id, currency);

-- ── inventory ─────────────────────────────────────────────────────────────────────────────────────────────────────────────────
CREATE TABLE location (
  id BIGINT PRIMARY KEY, code TEXT NOT NULL UNIQUE, name TEXT NOT NULL,
  kind TEXT NOT NULL CHECK (kind IN ('warehouse', 'shop', '3pl', 'supplier')),
  supplier_id BIGINT REFERENCES supplier (id),
  priority BIGINT NOT NULL DEFAULT 100,           -- lower ships first
  country TEXT NOT NULL, postal_code TEXT, address TEXT NOT NULL, lat DOUBLE PRECISION, lon DOUBLE PRECISION,
  active BOOLEAN NOT NULL DEFAULT TRUE, created_at BIGINT NOT NULL,
  CHECK ((kind = 'supplier') = (supplier_id IS NOT NULL))
);
CREATE TABLE stock (
  sku_id BIGINT NOT NULL REFERENCES sku (id), location_id BIGINT NOT NULL REFERENCES location (id),
  on_hand BIGINT NOT NULL DEFAULT 0, allocated BIGINT NOT NULL DEFAULT 0, incoming BIGINT NOT NULL DEFAULT 0, quarantined BIGINT NOT NULL DEFAULT 0,
  safety BIGINT NOT NULL DEFAULT 0 CHECK (safety >= 0), channel_safety BIGINT NOT NULL DEFAULT 0 CHECK (channel_safety >= 0), bin TEXT,
  available BIGINT GENERATED ALWAYS AS (on_hand - allocated - safety) STORED,
  PRIMARY KEY (sku_id, location_id),
  CHECK (on_hand >= 0 AND allocated >= 0 AND allocated <= on_hand AND incoming >= 0 AND quarantined >= 0)
);
CREATE INDEX stock_location ON stock (location_id, sku_id);
CREATE TABLE stock_movement (
  id BIGINT PRIMARY KEY, at BIGINT NOT NULL, sku_id BIGINT NOT NULL, location_id BIGINT NOT NULL,
  kind TEXT NOT NULL CHECK (kind IN ('receipt', 'allocate', 'release', 'ship', 'return', 'adjust', 'count', 'transfer', 'expect', 'quarantine', 'reserve')),
  on_hand BIGINT NOT NULL DEFAULT 0, allocated BIGINT NOT NULL DEFAULT 0, incoming BIGINT NOT NULL DEFAULT 0, quarantined BIGINT NOT NULL DEFAULT 0,
  value BIGINT NOT NULL DEFAULT 0,               -- change of the inventory's value at cost, in the base currency's minor units
  order_id BIGINT, reference TEXT, reason TEXT, by_actor TEXT
);
CREATE INDEX stock_movement_stock ON stock_movement (sku_id, location_id, id);
CREATE INDEX stock_movement_order ON stock_movement (order_id) WHERE order_id IS NOT NULL;
-- Moving average: the value of what we own of a SKU. Taking k of n units takes value·k/n, so the last unit takes the last cent.
CREATE TABLE sku_cost (
  sku_id BIGINT PRIMARY KEY REFERENCES sku (id), quantity BIGINT NOT NULL CHECK (quantity >= 0), value BIGINT NOT NULL CHECK (value >= 0),
  CHECK (quantity > 0 OR value = 0)
);
-- What is ordered from a supplier. Of each line: ordered = cancelled + still to come + received within what was ordered.
CREATE TABLE purchase (
  id BIGINT PRIMARY KEY, number TEXT NOT NULL UNIQUE, supplier_id BIGINT NOT NULL REFERENCES supplier (id), location_id BIGINT NOT NULL REFERENCES location (id),
  reference TEXT, created_at BIGINT NOT NULL, ordered_at BIGINT, expected_at BIGINT, version BIGINT NOT NULL DEFAULT 1,
  -- sums of the lines
  units BIGINT NOT NULL CHECK (units > 0), received BIGINT NOT NULL DEFAULT 0, surplus BIGINT NOT NULL DEFAULT 0, cancelled BIGINT NOT NULL DEFAULT 0,
  open BIGINT GENERATED ALWAYS AS (units - cancelled - received + surplus) STORED,
  status TEXT GENERATED ALWAYS AS (CASE
    WHEN cancelled >= units THEN 'cancelled'
    WHEN ordered_at IS NULL THEN 'draft'
    WHEN units - cancelled - received + surplus = 0 THEN 'received'
    WHEN received > 0 THEN 'partly_received'
    ELSE 'ordered' END) STORED,
  CHECK (surplus >= 0 AND surplus <= received AND cancelled >= 0 AND cancelled + received - surplus <= units), CHECK (ordered_at IS NOT NULL OR received = 0)
);
CREATE INDEX purchase_status ON purchase (status, id);
CREATE TABLE purchase_line (
  purchase_id BIGINT NOT NULL REFERENCES purchase (id), position BIGINT NOT NULL, sku_id BIGINT NOT NULL REFERENCES sku (id),
  ordered BIGINT NOT NULL CHECK (ordered > 0), unit_cost BIGINT NOT NULL CHECK (unit_cost >= 0),    -- in the base currency's minor units
  received BIGINT NOT NULL DEFAULT 0, surplus BIGINT NOT NULL DEFAULT 0, cancelled BIGINT NOT NULL DEFAULT 0,
  open BIGINT GENERATED ALWAYS AS (ordered - cancelled - received + surplus) STORED,
  PRIMARY KEY (purchase_id, position), UNIQUE (purchase_id, sku_id),
  CHECK (surplus >= 0 AND surplus <= received AND cancelled >= 0 AND cancelled + received - surplus <= ordered)
);
CREATE INDEX purchase_line_sku ON purchase_line (sku_id, purchase_id);
CREATE TABLE purchase_receipt (
  movement_id BIGINT PRIMARY KEY REFERENCES stock_movement (id), purchase_id BIGINT NOT NULL, position BIGINT NOT NULL,
  quantity BIGINT NOT NULL CHECK (quantity > 0), surplus BIGINT NOT NULL CHECK (surplus >= 0 AND surplus <= quantity), reason TEXT,
  FOREIGN KEY (purchase_id, position) REFERENCES purchase_line (purchase_id, position),
  CHECK (surplus = 0 OR (reason IS NOT NULL AND reason <> ''))
);
CREATE INDEX purchase_receipt_purchase ON purchase_receipt (purchase_id, position);
-- A part of a location that is counted blind. A line's count stands beside what the books said in the moment it was entered.
CREATE TABLE count_sheet (
  id BIGINT PRIMARY KEY, location_id BIGINT NOT NULL REFERENCES location (id), bins TEXT NOT NULL, by_actor TEXT NOT NULL, started_at BIGINT NOT NULL,
  approved_at BIGINT, discarded_at BIGINT, total BIGINT NOT NULL CHECK (total > 0), counted BIGINT NOT NULL DEFAULT 0,
  status TEXT GENERATED ALWAYS AS (CASE WHEN approved_at IS NOT NULL THEN 'approved' WHEN discarded_at IS NOT NULL THEN 'discarded' ELSE 'open' END) STORED,
  CHECK (approved_at IS NULL OR discarded_at IS NULL), CHECK (counted BETWEEN 0 AND total)
);
CREATE TABLE count_line (
  sheet_id BIGINT NOT NULL REFERENCES count_sheet (id), sku_id BIGINT NOT NULL REFERENCES sku (id), bin TEXT COLLATE "C",
  counted BIGINT CHECK (counted >= 0), expected BIGINT, counted_at BIGINT, counted_by TEXT,
  outcome TEXT CHECK (outcome IN ('same', 'adjusted', 'refused')), movement_id BIGINT REFERENCES stock_movement (id), why TEXT,
  PRIMARY KEY (sheet_id, sku_id),
  CHECK ((counted IS NULL) = (expected IS NULL)), CHECK (outcome IS NULL OR counted IS NOT NULL),
  CHECK ((movement_id IS NOT NULL) = (outcome IS NOT NULL AND outcome = 'adjusted'))
);
CREATE TABLE reservation (
  id BIGINT PRIMARY KEY, expires_at BIGINT NOT NULL, created_at BIGINT NOT NULL, ended_at BIGINT, outcome TEXT CHECK (outcome IN ('ordered', 'expired', 'released')),
  CHECK ((ended_at IS NULL) = (outcome IS NULL))
);
CREATE INDEX reservation_open ON reservation (expires_at) WHERE ended_at IS NULL;
CREATE TABLE reservation_line (
  reservation_id BIGINT NOT NULL REFERENCES reservation (id), sku_id BIGINT NOT NULL, location_id BIGINT NOT NULL, quantity BIGINT NOT NULL CHECK (quantity > 0),
  PRIMARY KEY (reservation_id, sku_id, location_id)
);

-- ── orders ────────────────────────────────────────────────────────────────────────────────────────────────────────────────────
CREATE TABLE channel (code TEXT NOT NULL PRIMARY KEY, name TEXT NOT NULL);
INSERT INTO channel (code, name) VALUES ('api', 'API'), ('manual', 'Phone and e-mail'), ('csv', 'CSV file'), ('olist', 'Olist'), ('online-retail', 'Online Retail'), ('exchange', 'Exchanges');
CREATE TABLE orders (
  id BIGINT PRIMARY KEY,
  number TEXT COLLATE "C" NOT NULL UNIQUE,
  channel TEXT NOT NULL REFERENCES channel (code),
  reference TEXT COLLATE "C",                                -- the channel's own
  customer_id BIGINT NOT NULL REFERENCES customer (id),
  name TEXT COLLATE "C" NOT NULL, email TEXT COLLATE "C", phone TEXT, ip TEXT,
  ship_to TEXT NOT NULL, bill_to TEXT NOT NULL, country TEXT NOT NULL, postal_code TEXT,
  currency TEXT NOT NULL, tax_inclusive BOOLEAN NOT NULL,
  priority BIGINT NOT NULL DEFAULT 0 CHECK (priority IN (0, 1)),   -- 1 is express
  gift_note TEXT, note TEXT, tags TEXT NOT NULL DEFAULT '[]',
  fingerprint TEXT NOT NULL,                                 -- of the lines: the same for one customer is a probable duplicate
  exchange_of BIGINT,                                        -- the return this order replaces
  pay_later BOOLEAN NOT NULL DEFAULT FALSE,                  -- may ship before it is paid
  placed_at BIGINT NOT NULL, promised_at BIGINT,
  -- fixed at placement
  goods BIGINT NOT NULL, discount BIGINT NOT NULL, net BIGINT NOT NULL, tax BIGINT NOT NULL, shipping BIGINT NOT NULL, shipping_tax BIGINT NOT NULL, fee BIGINT NOT NULL,
  total BIGINT GENERATED ALWAYS AS (net + tax + shipping + shipping_tax + fee) STORED,
  cancelled_total BIGINT NOT NULL DEFAULT 0,                 -- share of the cancelled units
  returned_total BIGINT NOT NULL DEFAULT 0,                  -- credit granted for returned units
  -- folds of the payments
  authorised BIGINT NOT NULL DEFAULT 0, captured BIGINT NOT NULL DEFAULT 0, refunded BIGINT NOT NULL DEFAULT 0, disputed BIGINT NOT NULL DEFAULT 0,
  -- sums of the lines
  units BIGINT NOT NULL, units_cancelled BIGINT NOT NULL DEFAULT 0, units_backordered BIGINT NOT NULL DEFAULT 0, units_shipped BIGINT NOT NULL DEFAULT 0,
  units_delivered BIGINT NOT NULL DEFAULT 0, units_returned BIGINT NOT NULL DEFAULT 0,
  holds BIGINT NOT NULL DEFAULT 0 CHECK (holds >= 0),
  version BIGINT NOT NULL DEFAULT 1, updated_at BIGINT NOT NULL,
  fulfilment_status TEXT GENERATED ALWAYS AS (CASE
    WHEN units_cancelled >= units THEN 'cancelled'
    WHEN units_returned > 0 AND units_returned >= units - units_cancelled THEN 'returned'
    WHEN units_delivered >= units - units_cancelled THEN 'delivered'
    WHEN units_shipped >= units - units_cancelled THEN 'fulfilled'
    WHEN units_shipped > 0 THEN 'partial'
    ELSE 'unfulfilled' END) STORED,
  payment_status TEXT GENERATED ALWAYS AS (CASE
    WHEN disputed > 0 THEN 'disputed'
    WHEN refunded > 0 AND refunded >= captured THEN 'refunded'
    WHEN refunded > 0 THEN 'partially_refunded'
    WHEN captured = 0 AND cancelled_total > 0 AND cancelled_total >= net + tax + shipping + shipping_tax + fee THEN 'unpaid'
    WHEN captured > net + tax + shipping + shipping_tax + fee - cancelled_total THEN 'overpaid'
    WHEN captured >= net + tax + shipping + shipping_tax + fee - cancelled_total THEN 'paid'
    WHEN captured > 0 THEN 'partially_paid'
    WHEN authorised > 0 AND authorised >= net + tax + shipping + shipping_tax + fee - cancelled_total THEN 'authorised'
    ELSE 'unpaid' END) STORED,
  UNIQUE (channel, reference),
  CHECK (captured >= 0 AND authorised >= 0 AND refunded >= 0),
  CHECK (units > 0 AND units_cancelled >= 0 AND units_cancelled + units_shipped <= units AND units_delivered <= units_shipped AND units_returned <= units_shipped)
);
CREATE INDEX orders_placed ON orders (placed_at, id, currency, total);   -- with the money: the figures of a day are read from here alone
CREATE INDEX orders_fulfilment ON orders (fulfilment_status, placed_at, id);
CREATE INDEX orders_payment ON orders (payment_status, placed_at, id);
CREATE INDEX orders_held ON orders (placed_at, id) WHERE holds > 0;
CREATE INDEX orders_backordered ON orders (placed_at, id) WHERE units_backordered > 0;
CREATE INDEX orders_channel ON orders (channel, placed_at, id);
CREATE INDEX orders_customer ON orders (customer_id, placed_at);
CREATE INDEX orders_email ON orders (email, placed_at);
CREATE INDEX orders_ip ON orders (ip, placed_at) WHERE ip IS NOT NULL;
CREATE INDEX orders_name ON orders (LOWER(name), placed_at, id);

CREATE TABLE order_line (
  id BIGINT PRIMARY KEY, order_id BIGINT NOT NULL REFERENCES orders (id), position BIGINT NOT NULL,
  placed_at BIGINT NOT NULL,                                 -- the order's: the newest orders of a SKU are found by it
  sku_id BIGINT NOT NULL REFERENCES sku (id), sku TEXT NOT NULL, title TEXT NOT NULL,
  unit_price BIGINT NOT NULL, tax_rate_ppm BIGINT NOT NULL, tax_class TEXT NOT NULL,
  -- fixed at placement; a unit's share is floor((k+1)·T/N) − floor(k·T/N)
  gross BIGINT NOT NULL, discount BIGINT NOT NULL, discount_net BIGINT NOT NULL, net BIGINT NOT NULL, tax BIGINT NOT NULL,
  shipping BIGINT NOT NULL, shipping_tax BIGINT NOT NULL, fee BIGINT NOT NULL,
  total BIGINT GENERATED ALWAYS AS (net + tax + shipping + shipping_tax + fee) STORED,
  cost BIGINT NOT NULL DEFAULT 0,                            -- cost of the units shipped so far, base currency
  backorder_ok BOOLEAN NOT NULL,
  -- where every unit is
  ordered BIGINT NOT NULL CHECK (ordered > 0),
  cancelled BIGINT NOT NULL DEFAULT 0, pending BIGINT NOT NULL DEFAULT 0, backordered BIGINT NOT NULL DEFAULT 0, allocated BIGINT NOT NULL DEFAULT 0,
  picked BIGINT NOT NULL DEFAULT 0, packed BIGINT NOT NULL DEFAULT 0, shipped BIGINT NOT NULL DEFAULT 0,
  delivered BIGINT NOT NULL DEFAULT 0, lost BIGINT NOT NULL DEFAULT 0, returned BIGINT NOT NULL DEFAULT 0,
  in_transit BIGINT GENERATED ALWAYS AS (shipped - delivered - lost) STORED,
  UNIQUE (order_id, position),
  CHECK (ordered = cancelled + pending + backordered + allocated + picked + packed + shipped),
  CHECK (cancelled >= 0 AND pending >= 0 AND backordered >= 0 AND allocated >= 0 AND picked >= 0 AND packed >= 0 AND shipped >= 0),
  CHECK (delivered >= 0 AND lost >= 0 AND delivered + lost <= shipped AND returned >= 0 AND returned <= shipped),
  CHECK (gross = unit_price * ordered AND discount BETWEEN 0 AND gross),
  CHECK (net = gross - discount OR net + tax = gross - discount)
);
CREATE INDEX order_line_sku ON order_line (sku_id, placed_at, order_id);
CREATE INDEX order_line_backordered ON order_line (sku_id, id) WHERE backordered > 0;
-- Units promised from a location's stock and not yet shipped. Per line: allocated + picked + packed.
CREATE TABLE allocation (
  line_id BIGINT NOT NULL REFERENCES order_line (id), location_id BIGINT NOT NULL REFERENCES location (id), order_id BIGINT NOT NULL,
  quantity BIGINT NOT NULL CHECK (quantity >= 0),
  picked BIGINT NOT NULL DEFAULT 0 CHECK (picked >= 0 AND picked <= quantity),   -- of them picked or packed: these cannot be cancelled
  PRIMARY KEY (line_id, location_id)
);
CREATE INDEX allocation_order ON allocation (order_id);
CREATE TABLE order_hold (
  order_id BIGINT NOT NULL REFERENCES orders (id),
  kind TEXT NOT NULL CHECK (kind IN ('risk_review', 'payment_due', 'address_invalid', 'out_of_stock', 'customer_request', 'manual', 'probable_duplicate')),
  reason TEXT NOT NULL, at BIGINT NOT NULL, by_actor TEXT NOT NULL,
  PRIMARY KEY (order_id, kind)
);
CREATE INDEX order_hold_kind ON order_hold (kind, at, order_id);
CREATE TABLE order_note (id BIGINT PRIMARY KEY, order_id BIGINT NOT NULL REFERENCES orders (id), at BIGINT NOT NULL, by_actor TEXT NOT NULL, text TEXT NOT NULL);
CREATE INDEX order_note_order ON order_note (order_id);
-- The same done to many orders in the background: who asked, how far it is, and what became of each order.
CREATE TABLE order_bulk (
  id BIGINT PRIMARY KEY, action TEXT NOT NULL CHECK (action IN ('hold', 'release', 'cancel', 'tag')), about TEXT NOT NULL, by_actor TEXT NOT NULL,
  started_at BIGINT NOT NULL, ended_at BIGINT, total BIGINT NOT NULL CHECK (total > 0), done BIGINT NOT NULL DEFAULT 0, refused BIGINT NOT NULL DEFAULT 0,
  CHECK (done >= 0 AND refused >= 0 AND done + refused <= total), CHECK (ended_at IS NULL OR done + refused = total)
);
CREATE TABLE order_bulk_item (
  bulk_id BIGINT NOT NULL REFERENCES order_bulk (id), order_id BIGINT NOT NULL REFERENCES orders (id),
  outcome TEXT CHECK (outcome IN ('done', 'refused')), why TEXT,
  PRIMARY KEY (bulk_id, order_id)
);
CREATE INDEX order_bulk_item_open ON order_bulk_item (bulk_id, order_id) WHERE outcome IS NULL;
-- Lists of orders that a person keeps under a name.
CREATE TABLE order_view (owner TEXT NOT NULL, name TEXT NOT NULL, query TEXT NOT NULL, created_at BIGINT NOT NULL, PRIMARY KEY (owner, name));

CREATE TABLE risk_assessment (
  order_id BIGINT PRIMARY KEY, score BIGINT NOT NULL, reasons TEXT NOT NULL, held BOOLEAN NOT NULL, at BIGINT NOT NULL,
  verdict TEXT CHECK (verdict IN ('approved', 'rejected')), verdict_by TEXT, verdict_reason TEXT, verdict_at BIGINT
);

-- ── payments ──────────────────────────────────────────────────────────────────────────────────────────────────────────────────
-- One tender on an order. The amounts are the fold of payment_event.
CREATE TABLE payment (
  id BIGINT PRIMARY KEY, order_id BIGINT NOT NULL, customer_id BIGINT NOT NULL, gateway TEXT NOT NULL, method TEXT NOT NULL, token TEXT, reference TEXT,
  currency TEXT NOT NULL, amount BIGINT NOT NULL CHECK (amount >= 0),
  authorised BIGINT NOT NULL DEFAULT 0, captured BIGINT NOT NULL DEFAULT 0, voided BIGINT NOT NULL DEFAULT 0, refunded BIGINT NOT NULL DEFAULT 0,
  capture_pending BIGINT NOT NULL DEFAULT 0, refund_pending BIGINT NOT NULL DEFAULT 0, disputed BIGINT NOT NULL DEFAULT 0, dispute_lost BIGINT NOT NULL DEFAULT 0, fees BIGINT NOT NULL DEFAULT 0,
  action_url TEXT, failed BOOLEAN NOT NULL DEFAULT FALSE, expired BOOLEAN NOT NULL DEFAULT FALSE, conflicted BOOLEAN NOT NULL DEFAULT FALSE,
  created_at BIGINT NOT NULL, expires_at BIGINT,
  status TEXT GENERATED ALWAYS AS (CASE
    WHEN conflicted THEN 'conflicted'
    WHEN captured > 0 AND captured >= amount THEN 'captured'
    WHEN captured > 0 THEN 'partially_captured'
    WHEN voided > 0 THEN 'voided'
    WHEN expired THEN 'expired'
    WHEN authorised > 0 THEN 'authorised'
    WHEN failed THEN 'failed'
    WHEN action_url IS NOT NULL THEN 'requires_action'
    ELSE 'pending' END) STORED,
  CHECK (captured >= 0 AND refunded >= 0 AND refund_pending >= 0 AND capture_pending >= 0 AND disputed >= 0 AND dispute_lost >= 0),
  CHECK (conflicted OR refunded + refund_pending + dispute_lost <= captured)
);
CREATE INDEX payment_order ON payment (order_id);
CREATE INDEX payment_reference ON payment (gateway, reference);
CREATE TABLE payment_operation (
  id BIGINT PRIMARY KEY, payment_id BIGINT NOT NULL REFERENCES payment (id), kind TEXT NOT NULL CHECK (kind IN ('authorise', 'capture', 'void', 'refund')),
  amount BIGINT NOT NULL CHECK (amount >= 0), state TEXT NOT NULL CHECK (state IN ('requested', 'succeeded', 'failed', 'unknown', 'requires_action')),
  requested_at BIGINT NOT NULL, answered_at BIGINT, attempts BIGINT NOT NULL DEFAULT 0, problem TEXT
);
CREATE INDEX payment_operation_payment ON payment_operation (payment_id);
CREATE INDEX payment_operation_open ON payment_operation (requested_at) WHERE state IN ('requested', 'unknown');
CREATE TABLE payment_event (
  id BIGINT PRIMARY KEY, payment_id BIGINT NOT NULL REFERENCES payment (id), operation_id BIGINT,
  kind TEXT NOT NULL CHECK (kind IN ('authorise', 'capture', 'void', 'refund', 'chargeback', 'reversal', 'fee', 'expire')),
  phase TEXT NOT NULL CHECK (phase IN ('requested', 'succeeded', 'failed')),
  amount BIGINT NOT NULL CHECK (amount >= 0), gateway_reference TEXT NOT NULL, at BIGINT NOT NULL, detail TEXT,
  UNIQUE (payment_id, kind, phase, gateway_reference)
);
CREATE TABLE refund (
  id BIGINT PRIMARY KEY, order_id BIGINT NOT NULL, return_id BIGINT, currency TEXT NOT NULL, amount BIGINT NOT NULL CHECK (amount > 0), reason TEXT NOT NULL,
  granted_at BIGINT NOT NULL, granted_by TEXT NOT NULL
);
CREATE INDEX refund_order ON refund (order_id);
CREATE TABLE refund_part (
  refund_id BIGINT NOT NULL REFERENCES refund (id), payment_id BIGINT NOT NULL REFERENCES payment (id), operation_id BIGINT NOT NULL REFERENCES payment_operation (id),
  amount BIGINT NOT NULL CHECK (amount > 0),
  PRIMARY KEY (refund_id, payment_id, operation_id)
);
CREATE INDEX refund_part_operation ON refund_part (operation_id);
-- Webhooks of gateways and carriers, raw, before they are acknowledged.
CREATE TABLE inbound_webhook (
  id BIGINT PRIMARY KEY, source TEXT NOT NULL, source_id TEXT NOT NULL, received_at BIGINT NOT NULL, headers TEXT NOT NULL, body TEXT NOT NULL,
  applied_at BIGINT, error TEXT, UNIQUE (source, source_id)
);
CREATE INDEX inbound_webhook_open ON inbound_webhook (id) WHERE applied_at IS NULL;

-- ── warehouse ─────────────────────────────────────────────────────────────────────────────────────────────────────────────────
CREATE TABLE fulfilment_order (
  id BIGINT PRIMARY KEY, number TEXT NOT NULL UNIQUE, order_id BIGINT NOT NULL REFERENCES orders (id), location_id BIGINT NOT NULL REFERENCES location (id),
  executor TEXT NOT NULL CHECK (executor IN ('own', '3pl', 'dropship')),
  priority BIGINT NOT NULL, created_at BIGINT NOT NULL, released_at BIGINT, request TEXT NOT NULL DEFAULT 'none' CHECK (request IN ('none', 'requested', 'accepted', 'rejected')),
  request_reason TEXT, on_hold BOOLEAN NOT NULL DEFAULT FALSE,
  -- sums of the lines
  quantity BIGINT NOT NULL DEFAULT 0, cancelled BIGINT NOT NULL DEFAULT 0, picked BIGINT NOT NULL DEFAULT 0, packed BIGINT NOT NULL DEFAULT 0, shipped BIGINT NOT NULL DEFAULT 0,
  version BIGINT NOT NULL DEFAULT 1,
  status TEXT GENERATED ALWAYS AS (CASE
    WHEN quantity > 0 AND cancelled >= quantity THEN 'cancelled'
    WHEN shipped + cancelled >= quantity THEN 'closed'
    WHEN on_hold THEN 'on_hold'
    WHEN shipped > 0 THEN 'incomplete'
    WHEN released_at IS NOT NULL OR request = 'accepted' THEN 'in_progress'
    ELSE 'open' END) STORED,
  CHECK (picked >= 0 AND packed >= 0 AND shipped >= 0 AND cancelled >= 0 AND packed <= picked AND shipped <= packed AND picked + cancelled <= quantity)
);
CREATE INDEX fulfilment_order_order ON fulfilment_order (order_id);
CREATE INDEX fulfilment_order_queue ON fulfilment_order (location_id, status, priority, created_at);
CREATE TABLE fulfilment_line (
  id BIGINT PRIMARY KEY, fulfilment_id BIGINT NOT NULL REFERENCES fulfilment_order (id), line_id BIGINT NOT NULL REFERENCES order_line (id), sku_id BIGINT NOT NULL,
  quantity BIGINT NOT NULL CHECK (quantity > 0), cancelled BIGINT NOT NULL DEFAULT 0,
  picked BIGINT NOT NULL DEFAULT 0, packed BIGINT NOT NULL DEFAULT 0, shipped BIGINT NOT NULL DEFAULT 0,   -- cumulative: a shipped unit stays picked and packed
  UNIQUE (fulfilment_id, line_id),
  CHECK (cancelled >= 0 AND shipped >= 0 AND shipped <= packed AND packed <= picked AND picked + cancelled <= quantity)
);
CREATE INDEX fulfilment_line_line ON fulfilment_line (line_id);
-- The components still being collected for units of a bundle that are not complete yet.
CREATE TABLE pick_progress (
  fulfilment_line_id BIGINT NOT NULL REFERENCES fulfilment_line (id), sku_id BIGINT NOT NULL, scanned BIGINT NOT NULL CHECK (scanned >= 0),
  PRIMARY KEY (fulfilment_line_id, sku_id)
);
-- What was scanned at the pack station of the units that are picked and in no parcel yet, piece by piece.
CREATE TABLE pack_progress (
  fulfilment_line_id BIGINT NOT NULL REFERENCES fulfilment_line (id), sku_id BIGINT NOT NULL, scanned BIGINT NOT NULL CHECK (scanned >= 0),
  PRIMARY KEY (fulfilment_line_id, sku_id)
);
CREATE TABLE parcel (
  id BIGINT PRIMARY KEY, fulfilment_id BIGINT NOT NULL REFERENCES fulfilment_order (id), order_id BIGINT NOT NULL, location_id BIGINT NOT NULL,
  weight_g BIGINT NOT NULL CHECK (weight_g >= 0), length_mm BIGINT, width_mm BIGINT, height_mm BIGINT, packed_at BIGINT NOT NULL, packed_by TEXT NOT NULL,
  unpacked_at BIGINT
);
CREATE INDEX parcel_order ON parcel (order_id);
CREATE INDEX parcel_fulfilment ON parcel (fulfilment_id);
CREATE TABLE parcel_line (
  parcel_id BIGINT NOT NULL REFERENCES parcel (id), fulfilment_line_id BIGINT NOT NULL REFERENCES fulfilment_line (id), line_id BIGINT NOT NULL,
  quantity BIGINT NOT NULL CHECK (quantity > 0), PRIMARY KEY (parcel_id, fulfilment_line_id)
);
CREATE INDEX parcel_line_line ON parcel_line (line_id);

-- ── shipping ──────────────────────────────────────────────────────────────────────────────────────────────────────────────────
CREATE TABLE rate_card (
  id BIGINT PRIMARY KEY, carrier TEXT NOT NULL, service TEXT NOT NULL, name TEXT NOT NULL, origin_country TEXT NOT NULL, currency TEXT NOT NULL,
  dim_divisor BIGINT NOT NULL CHECK (dim_divisor > 0),       -- mm³ per gram of dimensional weight: 5000 cm³/kg is 5000
  min_days BIGINT NOT NULL, max_days BIGINT NOT NULL, active BOOLEAN NOT NULL DEFAULT TRUE, UNIQUE (carrier, service, origin_country)
);
CREATE TABLE rate_zone (rate_card_id BIGINT NOT NULL REFERENCES rate_card (id), country TEXT NOT NULL, postal_prefix TEXT NOT NULL DEFAULT '', zone TEXT NOT NULL, PRIMARY KEY (rate_card_id, country, postal_prefix));
CREATE TABLE rate_price (rate_card_id BIGINT NOT NULL REFERENCES rate_card (id), zone TEXT NOT NULL, up_to_g BIGINT NOT NULL CHECK (up_to_g > 0), price BIGINT NOT NULL CHECK (price >= 0), PRIMARY KEY (rate_card_id, zone, up_to_g));
-- One parcel with one label. The status is the highest rank its tracking events reached, and never goes backwards.
CREATE TABLE shipment (
  id BIGINT PRIMARY KEY, parcel_id BIGINT NOT NULL REFERENCES parcel (id), order_id BIGINT NOT NULL, carrier TEXT NOT NULL, service TEXT NOT NULL,
  tracking_number TEXT COLLATE "C" NOT NULL, cost BIGINT NOT NULL, currency TEXT NOT NULL, label_at BIGINT NOT NULL, shipped_at BIGINT, delivered_at BIGINT, lost_at BIGINT, voided_at BIGINT,
  status TEXT NOT NULL CHECK (status IN ('draft', 'label_purchased', 'shipped', 'in_transit', 'out_for_delivery', 'available_for_pickup', 'attempt_failed', 'delivered', 'exception', 'returned_to_sender', 'lost', 'voided')),
  promised_at BIGINT, version BIGINT NOT NULL DEFAULT 1, UNIQUE (tracking_number, carrier)
);
CREATE UNIQUE INDEX shipment_parcel ON shipment (parcel_id) WHERE voided_at IS NULL;
CREATE INDEX shipment_order ON shipment (order_id);
CREATE INDEX shipment_status ON shipment (status, id, promised_at);
CREATE TABLE tracking_event (
  id BIGINT PRIMARY KEY, shipment_id BIGINT NOT NULL REFERENCES shipment (id), source_id TEXT NOT NULL, status TEXT NOT NULL, at BIGINT NOT NULL, place TEXT, description TEXT,
  UNIQUE (shipment_id, source_id)
);

-- ── returns ───────────────────────────────────────────────────────────────────────────────────────────────────────────────────
CREATE TABLE return_request (
  id BIGINT PRIMARY KEY, number TEXT NOT NULL UNIQUE, order_id BIGINT NOT NULL REFERENCES orders (id), customer_id BIGINT NOT NULL,
  resolution TEXT NOT NULL CHECK (resolution IN ('refund', 'store_credit', 'exchange')), refund_shipping BOOLEAN NOT NULL DEFAULT FALSE, note TEXT,
  requested_at BIGINT NOT NULL, approved_at BIGINT, declined_at BIGINT, decline_reason TEXT, exchange_order_id BIGINT, refund_id BIGINT, credited BIGINT NOT NULL DEFAULT 0, settled_at BIGINT, version BIGINT NOT NULL DEFAULT 1
);
CREATE INDEX return_request_order ON return_request (order_id);
CREATE INDEX return_request_requested ON return_request (requested_at, id);
CREATE INDEX return_request_open ON return_request (requested_at, id) WHERE declined_at IS NULL AND settled_at IS NULL;
-- One row per returned unit; `unit` numbers the line's units from 0, and its cents follow from that number.
CREATE TABLE return_unit (
  id BIGINT PRIMARY KEY, return_id BIGINT NOT NULL REFERENCES return_request (id), order_id BIGINT NOT NULL, line_id BIGINT NOT NULL REFERENCES order_line (id), unit BIGINT NOT NULL CHECK (unit >= 0),
  reason TEXT NOT NULL, comment TEXT,
  reception TEXT NOT NULL DEFAULT 'awaiting' CHECK (reception IN ('awaiting', 'in_transit', 'received', 'lost_in_transit', 'wrong_item', 'short')),
  acceptance TEXT NOT NULL DEFAULT 'pending' CHECK (acceptance IN ('pending', 'accepted', 'rejected', 'manual_review')),
  disposition TEXT CHECK (disposition IN ('restock', 'quarantine', 'refurbish', 'scrap', 'to_vendor', 'customer_keeps')),
  location_id BIGINT, received_at BIGINT, inspected_at BIGINT,
  credit BIGINT NOT NULL DEFAULT 0,              -- cents of this unit that the customer gets back once accepted
  released BOOLEAN NOT NULL DEFAULT FALSE        -- the request was declined or the unit rejected: the unit may be asked for again
);
CREATE UNIQUE INDEX return_unit_once ON return_unit (line_id, unit) WHERE NOT released;
CREATE INDEX return_unit_return ON return_unit (return_id);
CREATE INDEX return_unit_order ON return_unit (order_id);

-- What was shown of the goods: a JPEG that was drawn anew from what was sent, as base64, which is TEXT on both databases.
CREATE TABLE return_photo (
  id BIGINT PRIMARY KEY, return_id BIGINT NOT NULL REFERENCES return_request (id), at BIGINT NOT NULL, by_actor TEXT NOT NULL,
  width BIGINT NOT NULL CHECK (width > 0), height BIGINT NOT NULL CHECK (height > 0), bytes BIGINT NOT NULL CHECK (bytes > 0), digest TEXT NOT NULL, content TEXT NOT NULL,
  UNIQUE (return_id, digest)
);

-- The label that a return is sent back with; its id is the key under which the carrier is asked. A declined one is history.
CREATE TABLE return_label (
  id BIGINT PRIMARY KEY, return_id BIGINT NOT NULL REFERENCES return_request (id), location_id BIGINT NOT NULL REFERENCES location (id),
  carrier TEXT NOT NULL, service TEXT NOT NULL, weight_g BIGINT NOT NULL CHECK (weight_g >= 0), requested_at BIGINT NOT NULL,
  tracking_number TEXT, cost BIGINT, currency TEXT, bought_at BIGINT, declined TEXT,
  CHECK ((bought_at IS NULL) = (tracking_number IS NULL) AND (bought_at IS NULL) = (cost IS NULL) AND (bought_at IS NULL) = (currency IS NULL)),
  CHECK (bought_at IS NULL OR declined IS NULL)
);
CREATE UNIQUE INDEX return_label_live ON return_label (return_id) WHERE declined IS NULL;

-- ── books ─────────────────────────────────────────────────────────────────────────────────────────────────────────────────────
CREATE TABLE account (code TEXT NOT NULL PRIMARY KEY, name TEXT NOT NULL, kind TEXT NOT NULL CHECK (kind IN ('asset', 'liability', 'equity', 'income', 'expense')));
CREATE TABLE period (month TEXT NOT NULL PRIMARY KEY, closed_at BIGINT NOT NULL, closed_by TEXT NOT NULL);
CREATE TABLE journal_entry (
  id BIGINT PRIMARY KEY, at BIGINT NOT NULL, event_id BIGINT UNIQUE, order_id BIGINT, text TEXT NOT NULL
);
CREATE INDEX journal_entry_at ON journal_entry (at, id);
CREATE INDEX journal_entry_order ON journal_entry (order_id) WHERE order_id IS NOT NULL;
-- A posting moves an amount from one account to another: an entry cannot be out of balance, because no row can.
CREATE TABLE posting (
  id BIGINT PRIMARY KEY, entry_id BIGINT NOT NULL REFERENCES journal_entry (id), debit TEXT NOT NULL REFERENCES account (code), credit TEXT NOT NULL REFERENCES account (code),
  currency TEXT NOT NULL, amount BIGINT NOT NULL CHECK (amount > 0), CHECK (debit <> credit)
);
CREATE INDEX posting_entry ON posting (entry_id);
CREATE INDEX posting_debit ON posting (debit, currency);
CREATE INDEX posting_credit ON posting (credit, currency);
-- Running sums of the postings by account, currency and month: statements read these, `fulmar verify` re-adds them.
CREATE TABLE account_month (
  account TEXT NOT NULL REFERENCES account (code), currency TEXT NOT NULL, month TEXT NOT NULL, debit BIGINT NOT NULL DEFAULT 0, credit BIGINT NOT NULL DEFAULT 0,
  PRIMARY KEY (account, currency, month)
);

-- ── telling others ────────────────────────────────────────────────────────────────────────────────────────────────────────────
CREATE TABLE webhook_endpoint (
  id BIGINT PRIMARY KEY, url TEXT NOT NULL, secret TEXT NOT NULL, kinds TEXT NOT NULL, active BOOLEAN NOT NULL DEFAULT TRUE, created_at BIGINT NOT NULL
);
CREATE TABLE webhook_delivery (
  id BIGINT PRIMARY KEY, endpoint_id BIGINT NOT NULL REFERENCES webhook_endpoint (id), event_id BIGINT NOT NULL REFERENCES event (id),
  state TEXT NOT NULL CHECK (state IN ('waiting', 'delivered', 'dead')), attempts BIGINT NOT NULL DEFAULT 0, next_at BIGINT NOT NULL, last_status BIGINT, last_error TEXT, last_answer TEXT, delivered_at BIGINT,
  UNIQUE (endpoint_id, event_id)
);
CREATE INDEX webhook_delivery_due ON webhook_delivery (next_at) WHERE state = 'waiting';
CREATE TABLE mail (
  id BIGINT PRIMARY KEY, event_id BIGINT NOT NULL, template TEXT NOT NULL, order_id BIGINT, recipient TEXT NOT NULL, subject TEXT NOT NULL, body_text TEXT NOT NULL, body_html TEXT NOT NULL,
  created_at BIGINT NOT NULL, sent_at BIGINT, error TEXT, UNIQUE (event_id, template)
);

-- ── imports and reviews ───────────────────────────────────────────────────────────────────────────────────────────────────────
CREATE TABLE import_run (
  id BIGINT PRIMARY KEY, source TEXT NOT NULL, fingerprint TEXT NOT NULL, started_at BIGINT NOT NULL, finished_at BIGINT, next_chunk BIGINT NOT NULL DEFAULT 0, totals TEXT NOT NULL DEFAULT '{}',
  UNIQUE (source, fingerprint)
);
-- What an import booked outside of orders (fees, adjustments, credits without an order), by the source's own reference.
CREATE TABLE import_adjustment (
  id BIGINT PRIMARY KEY, source TEXT NOT NULL, reference TEXT NOT NULL, kind TEXT NOT NULL, currency TEXT NOT NULL, amount BIGINT NOT NULL, at BIGINT NOT NULL, text TEXT NOT NULL,
  UNIQUE (source, reference)
);
CREATE TABLE review (
  id BIGINT PRIMARY KEY, source TEXT NOT NULL, reference TEXT NOT NULL, order_id BIGINT NOT NULL REFERENCES orders (id), score BIGINT NOT NULL CHECK (score BETWEEN 1 AND 5), title TEXT, message TEXT, at BIGINT NOT NULL,
  UNIQUE (source, reference, order_id)
);
CREATE INDEX review_order ON review (order_id);

-- ── for people who bring their own SQL: real timestamps and decimal amounts ───────────────────────────────────────────────────
CREATE TABLE currency_unit (code TEXT NOT NULL PRIMARY KEY, minor_units BIGINT NOT NULL);   -- only those that have not 100
INSERT INTO currency_unit (code, minor_units) VALUES ('BIF', 1), ('CLP', 1), ('DJF', 1), ('GNF', 1), ('ISK', 1), ('JPY', 1), ('KMF', 1), ('KRW', 1), ('PYG', 1), ('RWF', 1),
  ('UGX', 1), ('UYI', 1), ('VND', 1), ('VUV', 1), ('XAF', 1), ('XOF', 1), ('XPF', 1), ('BHD', 1000), ('IQD', 1000), ('JOD', 1000), ('KWD', 1000), ('LYD', 1000), ('OMR', 1000), ('TND', 1000), ('CLF', 10000), ('UYW', 10000);
--pg CREATE VIEW v_orders AS SELECT o.id, o.number, o.channel, o.reference, o.name, o.email, o.country, o.currency, to_timestamp(o.placed_at / 1e6) AS placed_at, to_timestamp(o.promised_at / 1e6) AS promised_at, o.fulfilment_status, o.payment_status, o.holds, o.units, o.units_shipped, o.units_delivered, o.units_returned, o.total::numeric / COALESCE(u.minor_units, 100) AS total, o.captured::numeric / COALESCE(u.minor_units, 100) AS captured, o.refunded::numeric / COALESCE(u.minor_units, 100) AS refunded FROM orders o LEFT JOIN currency_unit u ON u.code = o.currency;
--sqlite CREATE VIEW v_orders AS SELECT o.id, o.number, o.channel, o.reference, o.name, o.email, o.country, o.currency, datetime(o.placed_at / 1000000, 'unixepoch') AS placed_at, datetime(o.promised_at / 1000000, 'unixepoch') AS promised_at, o.fulfilment_status, o.payment_status, o.holds, o.units, o.units_shipped, o.units_delivered, o.units_returned, o.total * 1.0 / COALESCE(u.minor_units, 100) AS total, o.captured * 1.0 / COALESCE(u.minor_units, 100) AS captured, o.refunded * 1.0 / COALESCE(u.minor_units, 100) AS refunded FROM orders o LEFT JOIN currency_unit u ON u.code = o.currency;
--pg CREATE VIEW v_order_lines AS SELECT o.number, l.position, l.sku, l.title, l.ordered, l.cancelled, l.backordered, l.allocated, l.picked, l.packed, l.shipped, l.delivered, l.returned, o.currency, l.net::numeric / COALESCE(u.minor_units, 100) AS net, l.tax::numeric / COALESCE(u.minor_units, 100) AS tax, l.total::numeric / COALESCE(u.minor_units, 100) AS total FROM order_line l JOIN orders o ON o.id = l.order_id LEFT JOIN currency_unit u ON u.code = o.currency;
--sqlite CREATE VIEW v_order_lines AS SELECT o.number, l.position, l.sku, l.title, l.ordered, l.cancelled, l.backordered, l.allocated, l.picked, l.packed, l.shipped, l.delivered, l.returned, o.currency, l.net * 1.0 / COALESCE(u.minor_units, 100) AS net, l.tax * 1.0 / COALESCE(u.minor_units, 100) AS tax, l.total * 1.0 / COALESCE(u.minor_units, 100) AS total FROM order_line l JOIN orders o ON o.id = l.order_id LEFT JOIN currency_unit u ON u.code = o.currency;
CREATE VIEW v_stock AS SELECT s.code AS sku, s.title, l.code AS location, t.on_hand, t.allocated, t.available, t.incoming, t.quarantined FROM stock t JOIN sku s ON s.id = t.sku_id JOIN location l ON l.id = t.location_id;
--pg CREATE VIEW v_postings AS SELECT to_timestamp(e.at / 1e6) AS at, e.text, o.number AS order_number, p.debit, p.credit, p.currency, p.amount::numeric / COALESCE(u.minor_units, 100) AS amount FROM posting p JOIN journal_entry e ON e.id = p.entry_id LEFT JOIN orders o ON o.id = e.order_id LEFT JOIN currency_unit u ON u.code = p.currency;
--sqlite CREATE VIEW v_postings AS SELECT datetime(e.at / 1000000, 'unixepoch') AS at, e.text, o.number AS order_number, p.debit, p.credit, p.currency, p.amount * 1.0 / COALESCE(u.minor_units, 100) AS amount FROM posting p JOIN journal_entry e ON e.id = p.entry_id LEFT JOIN orders o ON o.id = e.order_id LEFT JOIN currency_unit u ON u.code = p.currency;
