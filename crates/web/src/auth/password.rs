//! What may be a password, and its hash. After NIST SP 800-63B: long, not among those that are tried first, of any characters; nothing
//! about classes of characters or about changing it now and then.
//!
//! Invariant: the database holds argon2id hashes; as many are computed at once as memory allows.

use crate::App;
use argon2::password_hash::phc::PasswordHash;
use argon2::{Argon2, PasswordHasher, PasswordVerifier};
use kernel::{Fault, Secret};
use std::collections::BTreeSet;

/// Characters of a password at least.
pub const SHORTEST: usize = 12;
/// Characters of a password at most: more only costs time to hash.
const LONGEST: usize = 256;
/// Different characters at least.
const DIFFERENT: usize = 5;

/// Words that the passwords which are tried first are made of, without the digits and signs that people put around them.
const COMMON: &[&str] = &[
    "abc",
    "abcd",
    "abcde",
    "abcdef",
    "abcdefg",
    "abcdefgh",
    "abcdefghijkl",
    "access",
    "admin",
    "administrator",
    "adminadmin",
    "angel",
    "arsenal",
    "asdf",
    "asdfasdf",
    "asdfgh",
    "asdfghjkl",
    "ashley",
    "azerty",
    "azertyuiop",
    "badboy",
    "bailey",
    "baseball",
    "basketball",
    "batman",
    "buster",
    "changeme",
    "changemenow",
    "charlie",
    "cheese",
    "chelsea",
    "chocolate",
    "computer",
    "daniel",
    "default",
    "dragon",
    "enter",
    "facebook",
    "flower",
    "football",
    "freedom",
    "fulmar",
    "google",
    "guest",
    "hallo",
    "hannah",
    "harley",
    "hello",
    "helloworld",
    "hunter",
    "iloveyou",
    "iloveyousomuch",
    "internet",
    "jennifer",
    "jessica",
    "jordan",
    "joshua",
    "killer",
    "letmein",
    "letmeinnow",
    "liverpool",
    "login",
    "love",
    "lovely",
    "loveme",
    "maggie",
    "manager",
    "master",
    "matrix",
    "matthew",
    "michael",
    "michelle",
    "monkey",
    "mustang",
    "naruto",
    "nicole",
    "ninja",
    "nopassword",
    "owner",
    "ownerowner",
    "pass",
    "passport",
    "passw",
    "password",
    "passwort",
    "pepper",
    "phoenix",
    "picker",
    "pokemon",
    "princess",
    "purple",
    "qazwsx",
    "qazwsxedc",
    "qwer",
    "qwert",
    "qwerty",
    "qwertyui",
    "qwertyuiop",
    "qwertyuiopasdfghjkl",
    "qwertyuiopasdfghjklzxcvbnm",
    "qwertz",
    "qwertzuiop",
    "ranger",
    "robert",
    "root",
    "samsung",
    "secret",
    "secretpassword",
    "server",
    "shadow",
    "shop",
    "shopify",
    "soccer",
    "spring",
    "starwars",
    "summer",
    "sunshine",
    "superman",
    "superuser",
    "supersecret",
    "test",
    "testing",
    "testpassword",
    "thepassword",
    "thisisapassword",
    "thomas",
    "thunder",
    "tigger",
    "trustno",
    "user",
    "username",
    "warehouse",
    "welcome",
    "welcometo",
    "whatever",
    "winter",
    "wordpass",
    "yourpassword",
    "mypassword",
    "mysecret",
    "mysecretpassword",
    "zaqwsx",
    "zxcvbn",
    "zxcvbnm",
];

kernel::refusals! {
    /// Why a password is not taken.
    pub enum WeakPassword {
        TooShort {} => Invalid, "users.weak_password", "A password needs at least 12 characters. A few words that do not belong together are easy to remember.";
        TooLong {} => Invalid, "users.long_password", "A password may have 256 characters at most.";
        Common {} => Invalid, "users.common_password", "This password is among those that are tried first. Take another one.";
    }
}

/// Whether a password may be taken by somebody with this address and name.
///
/// # Errors
/// Why not.
pub fn check_password(password: &Secret<String>, email: &str, name: &str) -> Result<(), WeakPassword> {
    let text = password.expose();
    let length = text.chars().count();
    if length < SHORTEST {
        return Err(WeakPassword::TooShort {});
    }
    if length > LONGEST {
        return Err(WeakPassword::TooLong {});
    }
    let different: BTreeSet<char> = text.chars().flat_map(char::to_lowercase).collect();
    let plain = plain(text);
    let own = [email.split('@').next().unwrap_or_default(), email, name];
    let own = own.iter().map(|word| self::plain(word)).filter(|word| word.len() > 2);
    let common = different.len() < DIFFERENT
        || is_a_row(text)
        || COMMON.iter().any(|word| is_made_of(&plain, word))
        || own.into_iter().any(|word| is_made_of(&plain, &word));
    if common { Err(WeakPassword::Common {}) } else { Ok(()) }
}

/// The letters of a text in lower case, with digits and signs that stand for letters read as such.
fn plain(text: &str) -> String {
    let letter = |c: char| match c {
        '@' | '4' => Some('a'),
        '0' => Some('o'),
        '3' => Some('e'),
        '$' | '5' => Some('s'),
        '7' => Some('t'),
        c if c.is_alphabetic() => Some(c),
        _ => None,
    };
    // Digits at the ends are counted on, not read.
    let core = text.trim_matches(|c: char| !c.is_alphabetic() && !matches!(c, '@' | '$'));
    core.chars().flat_map(char::to_lowercase).filter_map(letter).collect()
}

/// Whether a text is a word once or several times.
fn is_made_of(text: &str, word: &str) -> bool {
    !word.is_empty()
        && text.len().is_multiple_of(word.len())
        && text == word.repeat(text.len() / word.len())
        && !text.is_empty()
}

/// Whether nearly every character follows on the one before, up or down, or there is no letter at all in it.
fn is_a_row(text: &str) -> bool {
    let codes: Vec<i64> =
        text.chars().flat_map(char::to_lowercase).map(|c| i64::from(u32::from(c))).collect();
    let steps = codes.windows(2).filter(|w| (w[1] - w[0]).abs() <= 1).count();
    steps * 4 >= codes.len() * 3 || !text.chars().any(char::is_alphabetic) && text.chars().count() < 20
}

/// The hash that is kept of a password.
///
/// # Errors
/// A fault of the hasher.
pub async fn hash_password(password: Secret<String>) -> Result<String, Fault> {
    let hashed = tokio::task::spawn_blocking(move || {
        Argon2::default().hash_password(password.expose().as_bytes()).map(|h| h.to_string())
    })
    .await?;
    hashed.map_err(|e| Fault::broken(format!("hash a password: {e}")))
}

/// Whether a password is the one of a stored hash. Without a hash (nobody of that name) it takes as long and is not.
pub(super) async fn password_fits(
    app: &App,
    password: Secret<String>,
    stored: Option<String>,
) -> Result<bool, Fault> {
    let _turn = app.hashing.acquire().await?;
    let fits = tokio::task::spawn_blocking(move || match stored {
        Some(stored) => PasswordHash::new(&stored)
            .is_ok_and(|hash| Argon2::default().verify_password(password.expose().as_bytes(), &hash).is_ok()),
        None => {
            let _ = Argon2::default().hash_password(password.expose().as_bytes());
            false
        }
    });
    Ok(fits.await?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn passwords_that_are_tried_first_are_refused() {
        let check = |text: &str| {
            check_password(&Secret::new(text.to_owned()), "grace.hopper@shop.example", "Grace Hopper")
        };
        for bad in [
            "Password1234!",
            "P@ssw0rd2026!!",
            "qwertyuiop12",
            "passwordpassword",
            "123456789012",
            "abcdefghijklm",
            "aaaaaaaaaaaab",
            "gracehopper1906",
            "Grace Hopper!!",
            "letmein-letmein",
            "iloveyou2026!!!",
        ] {
            assert_eq!(check(bad), Err(WeakPassword::Common {}), "{bad}");
        }
        assert_eq!(check("short enough"), Ok(()));
        assert_eq!(check("elevenchars"), Err(WeakPassword::TooShort {}));
        assert_eq!(check(&"long ".repeat(60)), Err(WeakPassword::TooLong {}));
        for good in
            ["correct horse", "fulmar-demo-shop", "Donaudampfschiff", "пароль из слов", "xk7fq2mvp9ahz"]
        {
            assert_eq!(check(good), Ok(()), "{good}");
        }
    }
}
