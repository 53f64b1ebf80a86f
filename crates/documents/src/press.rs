//! The printing press: a Typst compiler over a world that exists in memory only.
//!
//! Invariants: a template can reach the files handed to it and nothing else (no disk, no packages, no network, no
//! date); file names are fixed, because Typst interns every name for the life of the process; the memo cache is
//! trimmed after every run, also a failed one.

use std::sync::LazyLock;

use serde::Serialize;
use serde_json::Value;
use typst::comemo;
use typst::diag::{FileError, FileResult, SourceDiagnostic};
use typst::foundations::{Bytes, Datetime, Duration};
use typst::syntax::{FileId, RootedPath, Source, VirtualPath, VirtualRoot};
use typst::text::{Font, FontBook};
use typst::utils::LazyHash;
use typst::{Library, LibraryExt, World};
use typst_layout::PagedDocument;
use typst_pdf::PdfOptions;

use crate::DocumentError;

/// Results of the memo cache that survive this many later runs are dropped.
const CACHE_RUNS: usize = 5;

struct Fonts {
    book: LazyHash<FontBook>,
    faces: Vec<Font>,
}

static FONTS: LazyLock<Fonts> = LazyLock::new(|| {
    let files = [dejavu::sans_condensed::regular(), dejavu::sans_condensed::bold()];
    let faces: Vec<Font> = files.into_iter().flat_map(|file| Font::iter(Bytes::new(file))).collect();
    Fonts { book: LazyHash::new(FontBook::from_fonts(&faces)), faces }
});

static LIBRARY: LazyLock<LazyHash<Library>> = LazyLock::new(|| LazyHash::new(Library::default()));

/// The three names a template may use.
struct Names {
    main: FileId,
    data: FileId,
    bars: FileId,
}

static NAMES: LazyLock<Result<Names, String>> = LazyLock::new(|| {
    let name = |path: &str| {
        let path = VirtualPath::new(path).map_err(|e| format!("{path}: {e:?}"))?;
        Ok::<_, String>(RootedPath::new(VirtualRoot::Project, path).intern())
    };
    Ok(Names { main: name("main.typ")?, data: name("data.json")?, bars: name("bars.svg")? })
});

struct Desk {
    names: &'static Names,
    template: Source,
    data: Bytes,
    bars: Bytes,
}

impl World for Desk {
    fn library(&self) -> &LazyHash<Library> {
        &LIBRARY
    }

    fn book(&self) -> &LazyHash<FontBook> {
        &FONTS.book
    }

    fn main(&self) -> FileId {
        self.names.main
    }

    fn source(&self, id: FileId) -> FileResult<Source> {
        if id == self.names.main { Ok(self.template.clone()) } else { Err(FileError::AccessDenied) }
    }

    fn file(&self, id: FileId) -> FileResult<Bytes> {
        match id {
            _ if id == self.names.data => Ok(self.data.clone()),
            _ if id == self.names.bars => Ok(self.bars.clone()),
            _ => Err(FileError::AccessDenied),
        }
    }

    fn font(&self, index: usize) -> Option<Font> {
        FONTS.faces.get(index).cloned()
    }

    fn today(&self, _offset: Option<Duration>) -> Option<Datetime> {
        None
    }
}

/// Trims the memo cache when dropped, so that no way out of [`print`] forgets it.
struct Trim;

impl Drop for Trim {
    fn drop(&mut self) {
        comemo::evict(CACHE_RUNS);
    }
}

/// Sets `data` with `template` and returns a PDF. The template reads the data as `json("data.json")` and the
/// barcode, where it has one, as `image("bars.svg")`.
///
/// # Errors
/// [`DocumentError::Typeset`] when the template does not compile.
pub(crate) fn print(template: &str, data: &impl Serialize, bars: &str) -> Result<Vec<u8>, DocumentError> {
    let names = NAMES.as_ref().map_err(|e| DocumentError::Typeset(e.clone()))?;
    let mut data = serde_json::to_value(data).map_err(|e| DocumentError::Typeset(e.to_string()))?;
    make_printable(&mut data);
    let desk = Desk {
        names,
        template: Source::new(names.main, template.to_owned()),
        data: Bytes::new(data.to_string().into_bytes()),
        bars: Bytes::new(bars.as_bytes().to_vec()),
    };
    let _trim = Trim;
    let pages = typst::compile::<PagedDocument>(&desk).output.map_err(|found| complaint(&found))?;
    typst_pdf::pdf(&pages, &PdfOptions::default()).map_err(|found| complaint(&found))
}

fn complaint(found: &[SourceDiagnostic]) -> DocumentError {
    DocumentError::Typeset(found.iter().map(|d| d.message.to_string()).collect::<Vec<_>>().join("; "))
}

/// Replaces what no printer should see in every string of the data.
fn make_printable(value: &mut Value) {
    match value {
        Value::String(text) => *text = printable(text),
        Value::Array(items) => items.iter_mut().for_each(make_printable),
        Value::Object(fields) => fields.values_mut().for_each(make_printable),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

/// Control characters become spaces (line ends stay); marks that reverse the direction of the text around them
/// are dropped, because a name could otherwise turn the rest of its line around.
pub(crate) fn printable(text: &str) -> String {
    text.replace("\r\n", "\n")
        .chars()
        .filter(|c| !matches!(c, '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}' | '\u{FEFF}'))
        .map(|c| if c.is_control() && c != '\n' { ' ' } else { c })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(template: &str) -> String {
        match print(template, &(), "") {
            Err(DocumentError::Typeset(why)) => why,
            other => panic!("{template} gave {other:?}"),
        }
    }

    #[test]
    fn a_template_reaches_nothing_outside() {
        assert!(refused("#read(\"/etc/passwd\")").contains("denied"));
        assert!(refused("#include \"other.typ\"").contains("denied"));
        assert!(!refused("#import \"@preview/cetz:0.3.0\"").is_empty());
        assert!(!refused("#datetime.today()").is_empty());
        assert!(refused("#nope").contains("nope"));
    }

    #[test]
    fn the_embedded_font_has_the_promised_scripts() {
        assert_eq!(FONTS.faces.len(), 2);
        for face in &FONTS.faces {
            assert_eq!(face.info().family, "DejaVu Sans");
            for c in "Aßñãçøğŵ€№ЖΩչქשعپگ–…".chars() {
                assert!(face.info().coverage.contains(c as u32), "{:?} lacks {c}", face.info().variant);
            }
        }
    }

    #[test]
    fn printable_keeps_text_and_drops_what_moves_it() {
        let table = [
            ("Zoë & Söhne", "Zoë & Söhne"),
            ("a\r\nb\tc\0d", "a\nb c d"),
            ("\u{202E}evil", "evil"),
            ("عبد الله", "عبد الله"),
            ("#panic() ^XZ *b*", "#panic() ^XZ *b*"),
        ];
        for (raw, clean) in table {
            assert_eq!(printable(raw), clean);
        }
    }
}
