//! Files: read up to a limit, and written so that only their owner can read them.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::path::Path;

use crate::Failure;

/// Reads a file, or standard input for `-`.
pub(crate) fn read(path: &Path, limit: u64) -> Result<Vec<u8>, Failure> {
    let name = name(path);
    let bytes = if path == Path::new("-") {
        read_to_limit(io::stdin().lock(), limit)
    } else {
        File::open(path).and_then(|file| read_to_limit(file, limit))
    };
    match bytes {
        Ok(Some(bytes)) => Ok(bytes),
        Ok(None) => Err(Failure(format!("{name}: larger than {limit} bytes, the most that is read"))),
        Err(error) => Err(Failure(format!("{name}: {error}"))),
    }
}

/// How messages call a path.
pub(crate) fn name(path: &Path) -> String {
    if path == Path::new("-") { "standard input".to_owned() } else { path.display().to_string() }
}

/// Everything there is to read, or nothing if that is more than the limit.
pub(crate) fn read_to_limit(reader: impl Read, limit: u64) -> io::Result<Option<Vec<u8>>> {
    let mut bytes = Vec::new();
    // One byte more than allowed tells a full file from one that is cut.
    let count = reader.take(limit.saturating_add(1)).read_to_end(&mut bytes)?;
    Ok(u64::try_from(count).is_ok_and(|count| count <= limit).then_some(bytes))
}

/// Says early that [`write_private`] would refuse the path, before a key is made for it.
pub(crate) fn check_writable(path: &Path, force: bool) -> Result<(), Failure> {
    match fs::symlink_metadata(path) {
        Err(_) => Ok(()),
        Ok(metadata) if !metadata.is_file() => {
            Err(Failure(format!("{}: exists and is not a regular file", path.display())))
        }
        Ok(_) if !force => Err(Failure(format!("{}: exists; --force replaces it", path.display()))),
        Ok(_) => Ok(()),
    }
}

/// Writes a file that only its owner can read. What is there already stays unless `force` says otherwise.
pub(crate) fn write_private(path: &Path, content: &[u8], force: bool) -> Result<(), Failure> {
    check_writable(path, force)?;
    let failure = |error: io::Error| Failure(format!("{}: {error}", path.display()));
    if !force {
        return create(path, content).map_err(failure);
    }
    // A file opened for writing keeps the mode it has and loses its content first, so the new one takes its
    // place whole instead.
    let mut beside = path.as_os_str().to_owned();
    beside.push(format!(".{}.new", std::process::id()));
    let beside = Path::new(&beside);
    create(beside, content).and_then(|()| fs::rename(beside, path)).map_err(failure)
}

/// Creates the file; `create_new` refuses what exists, symbolic links included, without a gap in which one
/// could appear. A file that could not be written whole is taken away again.
fn create(path: &Path, content: &[u8]) -> io::Result<()> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(path)?;
    file.write_all(content).and_then(|()| file.sync_all()).inspect_err(|_| {
        let _ = fs::remove_file(path);
    })
}
