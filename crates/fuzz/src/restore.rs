//! Backup files. Invariant: a file is restored whole, or nothing of it; what was restored is backed up as it came.

use crate::program;
use db::{Clock, Db, backup};
use flate2::Compression;
use flate2::read::GzDecoder;
use flate2::write::GzEncoder;
use sha2::{Digest, Sha256};
use std::cell::RefCell;
use std::io::{Read, Write};

thread_local! {
    /// The lines of a backup of the shop, and an empty database that is still empty.
    static STAGE: RefCell<Option<(Vec<u8>, Option<Db>)>> = const { RefCell::new(None) };
}

/// `r` and the bytes of a file; `z` and its text before it is packed; else changes of a real backup: `f` mends its check sum afterwards.
pub(crate) fn restore(bytes: &[u8]) {
    let Some((how, rest)) = bytes.split_first() else { return };
    STAGE.with_borrow_mut(|stage| {
        program::with(|shop| {
            let (real, empty) = stage.get_or_insert_with(|| (unpacked(&shop.run(copy(shop.db()))), None));
            let file = match how {
                b'r' => rest.to_vec(),
                b'z' => packed(rest),
                _ => packed(&changed(real, rest, *how == b'f')),
            };
            let target = empty.take().unwrap_or_else(|| shop.run(fresh()));
            match shop.run(backup::restore(&target, file.as_slice())) {
                Ok(done) => {
                    let again = unpacked(&shop.run(copy(&target)));
                    let rows = again.split(|b| *b == b'\n').filter(|l| l.first() == Some(&b'[')).count();
                    assert_eq!(done.rows, rows as u64, "rows came and went");
                    if rest.is_empty() {
                        assert!(again == *real, "a backup of what was restored is another one");
                    }
                }
                Err(fault) => {
                    assert!(fault.to_string().contains("nothing was changed"), "{fault}");
                    for table in ["orders", "sku", "customer", "user_account", "event", "setting"] {
                        let text = format!("SELECT COUNT(*) FROM {table}");
                        let count: Option<i64> =
                            shop.run(target.read().scalar(&text, [])).expect("it can be counted");
                        assert_eq!(count, Some(0), "{table} after {fault}");
                    }
                    *empty = Some(target);
                }
            }
        });
    });
}

pub(crate) fn restore_seeds() -> Vec<Vec<u8>> {
    vec![
        b"f".to_vec(),
        b"-".to_vec(),
        b"f\x01\x00[".to_vec(),
        b"f\x00\x40\"\x00\x90{".to_vec(),
        b"z{\"fulmar_backup\":{\"format\":1,\"schema\":[]}}\n".to_vec(),
        b"z[1]\n{\"end\":{\"table\":\"sku\",\"rows\":1}}\n".to_vec(),
        b"r\x1f\x8b\x08\x00".to_vec(),
    ]
}

async fn fresh() -> Db {
    let options = fulmar::program::options(1, Clock::manual(db::testing::BEGIN));
    Db::open("sqlite::memory:", options).await.expect("a database in memory")
}

async fn copy(db: &Db) -> Vec<u8> {
    let mut out = Vec::new();
    backup::backup(db, &mut out).await.expect("what is there can be copied");
    out
}

fn packed(text: &[u8]) -> Vec<u8> {
    let mut out = GzEncoder::new(Vec::new(), Compression::fast());
    out.write_all(text).and_then(|()| out.finish()).expect("memory takes it")
}

fn unpacked(file: &[u8]) -> Vec<u8> {
    let mut text = Vec::new();
    GzDecoder::new(file).read_to_end(&mut text).expect("we packed it");
    text
}

/// The text with some of its bytes replaced: of each three bytes, two say where and one says what.
fn changed(real: &[u8], edits: &[u8], mend: bool) -> Vec<u8> {
    let mut text = real.to_vec();
    for edit in edits.chunks_exact(3) {
        let at = (usize::from(edit[0]) << 8 | usize::from(edit[1])) * 7 % text.len();
        text[at] = edit[2];
    }
    let body = text.strip_suffix(b"\n").unwrap_or(&text);
    let Some(footer) = body.iter().rposition(|b| *b == b'\n').map(|at| at + 1).filter(|_| mend) else {
        return text;
    };
    let sum: String = Sha256::digest(&text[..footer]).iter().map(|b| format!("{b:02x}")).collect();
    let line = String::from_utf8_lossy(&text[footer..]).into_owned();
    let Some((before, _)) = line.split_once("\"sha256\":\"") else { return text };
    text.truncate(footer);
    text.extend(format!("{before}\"sha256\":\"{sum}\"}}}}\n").into_bytes());
    text
}
