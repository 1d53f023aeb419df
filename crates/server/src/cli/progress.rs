//! Progress bars on a terminal; silence elsewhere.

use indicatif::{ProgressBar, ProgressStyle};

/// A bar that counts bytes.
pub fn bytes() -> ProgressBar {
    bar("{wide_bar} {bytes}/{total_bytes} {bytes_per_sec} {eta}")
}

/// The same with words before it.
pub fn documents() -> ProgressBar {
    bar("{msg} {wide_bar} {bytes}/{total_bytes} {bytes_per_sec} {eta}")
}

fn bar(template: &str) -> ProgressBar {
    let bar = ProgressBar::new(0);
    if let Ok(style) = ProgressStyle::with_template(template) {
        bar.set_style(style);
    }
    bar
}

/// A callback for the store: bytes done, bytes in all.
pub fn shown(bar: &ProgressBar) -> impl Fn(u64, u64) + Send + Sync + use<> {
    let bar = bar.clone();
    move |done, total| {
        bar.set_length(total);
        bar.set_position(done);
    }
}
