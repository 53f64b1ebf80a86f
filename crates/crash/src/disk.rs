//! A disk that can be filled: a small file system in memory, with ballast. Invariant: what fills is never more than the small disk, and it
//! is unmounted when dropped.

use crate::Stopped;
use std::fs::File;
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

const CHUNK: usize = 64 << 10;
/// No disk that is meant to be filled is larger.
const LARGEST: u64 = 2 << 30;

/// A mounted file system.
#[derive(Debug)]
pub struct SmallDisk {
    folder: PathBuf,
    ballast: PathBuf,
}

impl SmallDisk {
    /// Mounts a file system in memory over a folder.
    ///
    /// # Errors
    /// What `mount` said: usually that only root may.
    pub fn mount(folder: &Path, megabytes: u64) -> Result<Self, String> {
        let done = Command::new("mount")
            .args(["-t", "tmpfs", "-o", &format!("size={megabytes}m,mode=0755"), "fulmar-torture"])
            .arg(folder)
            .stdin(Stdio::null())
            .output()
            .map_err(|e| format!("mount: {e}"))?;
        match done.status.success() {
            true => Ok(Self { folder: folder.to_path_buf(), ballast: folder.join("ballast") }),
            false => Err(String::from_utf8_lossy(&done.stderr).trim().to_owned()),
        }
    }

    /// Fills the disk up to `leave` bytes.
    ///
    /// # Errors
    /// When it is larger than expected or fails otherwise.
    pub fn fill(&self, leave: u64) -> Result<(), Stopped> {
        let mut file = File::create(&self.ballast)?;
        let zeros = vec![0; CHUNK];
        let mut size = 0;
        loop {
            match file.write(&zeros) {
                Ok(n) => size += n as u64,
                Err(e) if e.kind() == ErrorKind::StorageFull => break,
                Err(e) => return Err(e.into()),
            }
            if size > LARGEST {
                self.free()?;
                return Err(Stopped::Failed(format!(
                    "{} is larger than it should be and is not filled",
                    self.folder.display()
                )));
            }
        }
        file.set_len(size.saturating_sub(leave))?;
        Ok(())
    }

    /// Makes room again.
    ///
    /// # Errors
    /// When the ballast cannot be removed.
    pub fn free(&self) -> Result<(), Stopped> {
        match std::fs::remove_file(&self.ballast) {
            Err(e) if e.kind() != ErrorKind::NotFound => Err(e.into()),
            _ => Ok(()),
        }
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        // Lazily: a process that was just killed may still hold it for a moment.
        let done = Command::new("umount").arg("-l").arg(&self.folder).stdin(Stdio::null()).status();
        if !done.is_ok_and(|status| status.success()) {
            eprintln!("{} cannot be unmounted", self.folder.display());
        }
    }
}
