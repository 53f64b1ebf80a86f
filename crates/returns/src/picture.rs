//! Pictures that somebody sends. Pure.
//!
//! Invariants: what a picture is, is read from its bytes and never from its name; what is kept is drawn anew from the pixels alone, so that
//! nothing a camera or anybody else wrote beside them (place, time, device, a script) survives; no picture takes more memory than
//! [`MOST_PIXELS`] do.

use image::codecs::jpeg::JpegEncoder;
use image::metadata::Orientation;
use image::{DynamicImage, ImageDecoder, ImageFormat, ImageReader, Limits, RgbImage};
use std::io::Cursor;

/// Bytes of a file at most.
pub const MOST_BYTES: usize = 10 << 20;
/// Pixels of a picture at most: what phones of today make.
pub const MOST_PIXELS: u64 = 50_000_000;
/// Pixels of the longer side that are kept.
const KEPT: u32 = 1800;
/// Of 100.
const QUALITY: u8 = 82;

kernel::refusals! {
    /// Why a file is not taken, in order of precedence.
    pub enum PictureRefused {
        TooLarge { mib: usize } => Invalid, "returns.photo_too_large", "A photo may have {mib} MiB at most.";
        NoPicture => Invalid, "returns.no_photo", "That is no photo: send a JPEG, PNG or WebP.";
        TooManyPixels { millions: u64 } => Invalid, "returns.photo_too_many_pixels", "A photo may have {millions} million pixels at most.";
        Broken => Invalid, "returns.photo_broken", "This photo cannot be opened: it may have been damaged on its way. Take or save it again.";
    }
}

/// A picture as it is kept: a JPEG of the pixels, upright.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Picture {
    /// The file.
    pub jpeg: Vec<u8>,
    /// Pixels.
    pub width: u32,
    /// Pixels.
    pub height: u32,
}

/// Reads what was sent and draws it anew.
///
/// # Errors
/// Why it is not taken.
pub fn read(bytes: &[u8]) -> Result<Picture, PictureRefused> {
    if bytes.len() > MOST_BYTES {
        return Err(PictureRefused::TooLarge { mib: MOST_BYTES >> 20 });
    }
    let format = image::guess_format(bytes).ok();
    let format = format.filter(|f| [ImageFormat::Jpeg, ImageFormat::Png, ImageFormat::WebP].contains(f));
    let format = format.ok_or(PictureRefused::NoPicture)?;
    let mut reader = ImageReader::with_format(Cursor::new(bytes), format);
    let mut limits = Limits::default();
    // Pixels of up to four bytes, and as much again to decode them.
    limits.max_alloc = Some(MOST_PIXELS * 8);
    reader.limits(limits);
    let mut decoder = reader.into_decoder().map_err(|_| PictureRefused::Broken)?;
    let (width, height) = decoder.dimensions();
    if u64::from(width) * u64::from(height) > MOST_PIXELS {
        return Err(PictureRefused::TooManyPixels { millions: MOST_PIXELS / 1_000_000 });
    }
    let turned = decoder.orientation().unwrap_or(Orientation::NoTransforms);
    let mut picture = DynamicImage::from_decoder(decoder).map_err(|_| PictureRefused::Broken)?;
    if width.max(height) > KEPT {
        picture = picture.thumbnail(KEPT, KEPT);
    }
    picture.apply_orientation(turned);
    let plain = on_white(&picture);
    let mut jpeg = Vec::new();
    let drawn = JpegEncoder::new_with_quality(&mut jpeg, QUALITY).encode_image(&plain);
    drawn.map_err(|_| PictureRefused::Broken)?;
    Ok(Picture { width: plain.width(), height: plain.height(), jpeg })
}

/// The picture without what lets the ground shine through.
fn on_white(picture: &DynamicImage) -> RgbImage {
    if !picture.color().has_alpha() {
        return picture.to_rgb8();
    }
    let seen = picture.to_rgba8();
    RgbImage::from_fn(seen.width(), seen.height(), |x, y| {
        let [r, g, b, a] = seen.get_pixel(x, y).0;
        let over = |c: u8| {
            let mixed = u32::from(c) * u32::from(a) + 255 * (255 - u32::from(a));
            u8::try_from((mixed + 127) / 255).unwrap_or(255)
        };
        image::Rgb([over(r), over(g), over(b)])
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use kernel::Refuse;

    fn png(width: u32, height: u32, alpha: u8) -> Vec<u8> {
        let pixels = image::RgbaImage::from_fn(width, height, |x, _| {
            image::Rgba([if x == 0 { 255 } else { 0 }, 0, 0, alpha])
        });
        let mut bytes = Vec::new();
        DynamicImage::from(pixels).write_to(&mut Cursor::new(&mut bytes), ImageFormat::Png).unwrap();
        bytes
    }

    /// A JPEG of 40 × 20 with an Exif block that turns it by a right angle and names a place.
    fn photo() -> Vec<u8> {
        let mut jpeg = Vec::new();
        JpegEncoder::new(&mut jpeg).encode_image(&RgbImage::new(40, 20)).unwrap();
        // Little-endian TIFF: one directory with Orientation = 6, then a text.
        let mut exif = b"Exif\0\0II*\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0\x06\0\0\0\0\0\0\0".to_vec();
        exif.extend(b"GPS 52.5200 N 13.4050 E");
        let length = u16::try_from(exif.len() + 2).unwrap().to_be_bytes();
        [&jpeg[..2], &[0xff, 0xe1], &length, &exif, &jpeg[2..]].concat()
    }

    fn holds(bytes: &[u8], text: &str) -> bool {
        bytes.windows(text.len()).any(|w| w == text.as_bytes())
    }

    #[test]
    fn nothing_beside_the_pixels_is_kept_and_the_picture_stands_upright() {
        let sent = photo();
        assert!(holds(&sent, "Exif") && holds(&sent, "GPS"));
        let kept = read(&sent).unwrap();
        assert!(!holds(&kept.jpeg, "Exif") && !holds(&kept.jpeg, "GPS"));
        assert_eq!((kept.width, kept.height), (20, 40), "turned");
        let again = image::load_from_memory_with_format(&kept.jpeg, ImageFormat::Jpeg).unwrap();
        assert_eq!((again.width(), again.height()), (20, 40));
        // A script behind the picture is not kept either.
        let polyglot = [sent, b"<script>alert(1)</script>".to_vec()].concat();
        assert!(!holds(&read(&polyglot).unwrap().jpeg, "script"));
    }

    #[test]
    fn large_ones_are_made_small_and_glass_becomes_white() {
        let kept = read(&png(3600, 10, 255)).unwrap();
        assert_eq!((kept.width, kept.height), (1800, 5));
        let glass = read(&png(8, 8, 0)).unwrap();
        let seen = image::load_from_memory(&glass.jpeg).unwrap().to_rgb8();
        assert!(seen.pixels().all(|p| p.0.iter().all(|c| *c > 250)));
    }

    #[test]
    fn a_webp_is_read_too() {
        let mut bytes = Vec::new();
        DynamicImage::new_rgb8(6, 4).write_to(&mut Cursor::new(&mut bytes), ImageFormat::WebP).unwrap();
        let kept = read(&bytes).unwrap();
        assert_eq!((kept.width, kept.height), (6, 4));
    }

    #[test]
    fn every_refusal_has_its_case() {
        let good = png(4, 4, 255);
        // A header that says 60,000 × 60,000 pixels, with its checksum.
        let mut huge = png(1, 1, 255);
        huge[16..24].copy_from_slice(&[0, 0, 0xea, 0x60, 0, 0, 0xea, 0x60]);
        let sum = crc32(&huge[12..29]).to_be_bytes();
        huge[29..33].copy_from_slice(&sum);
        for (bytes, code) in [
            (vec![0xff; MOST_BYTES + 1], "returns.photo_too_large"),
            (b"<svg xmlns='http://www.w3.org/2000/svg'/>".to_vec(), "returns.no_photo"),
            (b"GIF89a\x01\0\x01\0".to_vec(), "returns.no_photo"),
            (Vec::new(), "returns.no_photo"),
            (huge, "returns.photo_too_many_pixels"),
            (good[..good.len() / 2].to_vec(), "returns.photo_broken"),
        ] {
            assert_eq!(read(&bytes).map_err(|r| r.code()), Err(code));
        }
    }

    fn crc32(bytes: &[u8]) -> u32 {
        !bytes.iter().fold(!0u32, |crc, byte| {
            (0..8)
                .fold(crc ^ u32::from(*byte), |c, _| if c & 1 == 1 { 0xedb8_8320 ^ (c >> 1) } else { c >> 1 })
        })
    }
}
