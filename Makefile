# Thin: the work is in cargo and in crates/xtask.
.PHONY: run test test-data bench screenshots fmt clippy clean-dev need

# Says exactly what a fresh machine lacks, before a compiler fails in its own words.
need:
	@fail() { echo "make: $$1" >&2; exit 1; }; \
	command -v cargo >/dev/null || fail "Rust is missing: install it from https://rustup.rs"; \
	command -v cc >/dev/null || fail "a C compiler is missing (SQLite is compiled in): on Debian, apt-get install gcc libc6-dev"; \
	command -v npm >/dev/null || fail "Node.js 20 or newer with npm is missing (it fetches the pages' styles and scripts): https://nodejs.org"; \
	major=$$(node --version | sed 's/^v\([0-9]*\).*/\1/'); \
	test "$$major" -ge 20 || fail "Node.js 20 or newer is needed (it fetches the pages' styles and scripts); found $$(node --version)"

# FULMAR_LISTEN and DATABASE_URL are honoured; an empty database gets a demo shop.
run: need
	@cargo run -q -p app --bin fulmar -- serve --demo

test: need
	@cargo xtask test

test-data: need
	@cargo xtask test-data

# How fast it is, on SQLite and on a throw-away PostgreSQL. BENCH="place --clients 32" chooses; FULMAR_DATA adds the imports.
bench: need
	@cargo build --release -p app --bin fulmar
	@cargo xtask with-postgres sh -c 'FULMAR_BENCH_POSTGRES=$$FULMAR_TEST_POSTGRES exec target/release/fulmar bench $(BENCH)'

screenshots: need
	@cargo xtask screenshots

fmt:
	@cargo fmt --all

clippy:
	@cargo clippy --workspace --all-targets -- -D warnings

# What the dev builds left behind; databases stay.
clean-dev:
	@cargo clean --profile dev
	@rm -rf target/postgres target/screenshots
