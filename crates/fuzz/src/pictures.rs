//! Photos that customers send. Invariant: what is taken is a JPEG of a bounded size that opens again, and holds none of the bytes that stand
//! beside the pixels.

use image::{ColorType, ImageEncoder, ImageFormat};
use returns::picture::read;

pub(crate) fn picture(bytes: &[u8]) {
    let Ok(kept) = read(bytes) else { return };
    let again =
        image::load_from_memory_with_format(&kept.jpeg, ImageFormat::Jpeg).expect("what was drawn opens");
    assert_eq!((again.width(), again.height()), (kept.width, kept.height));
    assert!(kept.width.max(kept.height) <= 1800 && kept.width.min(kept.height) >= 1);
    assert!(!kept.jpeg.windows(4).any(|w| w == b"Exif"));
}

pub(crate) fn picture_seeds() -> Vec<Vec<u8>> {
    let pixels: Vec<u8> = (0..8 * 6 * 3).map(|n| u8::try_from(n % 251).unwrap_or(0)).collect();
    let mut seeds = vec![Vec::new(), Vec::new(), Vec::new()];
    let rgb = ColorType::Rgb8.into();
    let png = image::codecs::png::PngEncoder::new(&mut seeds[0]);
    png.write_image(&pixels, 8, 6, rgb).expect("a PNG");
    let jpeg = image::codecs::jpeg::JpegEncoder::new(&mut seeds[1]);
    jpeg.write_image(&pixels, 8, 6, rgb).expect("a JPEG");
    let webp = image::codecs::webp::WebPEncoder::new_lossless(&mut seeds[2]);
    webp.write_image(&pixels, 8, 6, rgb).expect("a WebP");
    seeds
}
