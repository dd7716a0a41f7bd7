//! Plain, gzip and zstd input behind one reader.
//!
//! Snapshots are kept compressed: a tenth of the space. What a file is, its first bytes tell, never its
//! name. Decoding happens inside `read`, so whichever thread takes a piece of the file decodes it while the
//! others parse theirs.
//!
//! Compression lets a small file promise much: a byte of zstd may stand for thirty thousand. So no more is
//! believed before it was seen than what real snapshots reach ([`Input::usual_bytes`]).

use std::fmt;
use std::io::{self, BufRead, Read};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use flate2::bufread::MultiGzDecoder;

/// Bytes taken from the file at a time, compressed ones.
const CHUNK: usize = 1 << 17;

/// Bytes that tell the formats apart.
const MAGIC: usize = 4;

/// Real snapshots shrink to a tenth or a fifteenth. Space for more than this is found as the data comes.
const USUAL_RATIO: u64 = 32;

/// How a file is compressed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Compression {
    Gzip,
    Zstd,
}

impl Compression {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Gzip => "gzip",
            Self::Zstd => "zstd",
        }
    }

    fn of(first: &[u8]) -> Option<Self> {
        match first {
            [0x1f, 0x8b, ..] => Some(Self::Gzip),
            // The second is a frame to be skipped: some who compress on several threads begin with one.
            [0x28, 0xb5, 0x2f, 0xfd, ..] | [0x50..=0x5f, 0x2a, 0x4d, 0x18, ..] => Some(Self::Zstd),
            _ => None,
        }
    }
}

/// Compressed data that cannot be decoded; travels inside an [`io::Error`].
#[derive(Debug)]
pub(crate) struct Broken {
    pub(crate) compression: Compression,
    /// Where in the file, as it stands on the disk.
    pub(crate) at: u64,
    /// The decoder's words; `None` where the data just ends.
    pub(crate) what: Option<String>,
}

impl fmt::Display for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let what = self.what.as_deref().unwrap_or("cut short");
        write!(f, "{} at byte {}: {what}", self.compression.name(), self.at)
    }
}

impl std::error::Error for Broken {}

/// The text of a file, however it is kept.
pub(crate) struct Input<R> {
    decoder: Decoder<R>,
    compression: Option<Compression>,
    taken: Arc<AtomicU64>,
}

enum Decoder<R> {
    Plain(Counted<R>),
    Gzip(Box<MultiGzDecoder<Counted<R>>>),
    Zstd(zstd::stream::read::Decoder<'static, Counted<R>>),
}

impl<R: Read> Input<R> {
    /// Looks at the first bytes.
    pub(crate) fn new(file: R) -> io::Result<Self> {
        let taken = Arc::new(AtomicU64::new(0));
        let mut counted = Counted {
            file,
            buffer: vec![0; CHUNK],
            at: 0,
            len: 0,
            taken: Arc::clone(&taken),
            failed: false,
        };
        let compression = Compression::of(counted.peek(MAGIC)?);
        let decoder = match compression {
            None => Decoder::Plain(counted),
            // Files may hold several members or frames one after the other: both go on to the next.
            Some(Compression::Gzip) => Decoder::Gzip(Box::new(MultiGzDecoder::new(counted))),
            Some(Compression::Zstd) => {
                Decoder::Zstd(zstd::stream::read::Decoder::with_buffer(counted)?)
            }
        };
        Ok(Self { decoder, compression, taken })
    }

    pub(crate) fn compression(&self) -> Option<Compression> {
        self.compression
    }

    /// Bytes of the file used so far, as it stands on the disk.
    pub(crate) fn taken(&self) -> Arc<AtomicU64> {
        Arc::clone(&self.taken)
    }

    /// Bytes of text for which space may be reserved before they were seen; 0 where nothing is known.
    pub(crate) fn usual_bytes(&self, length: u64) -> u64 {
        length.saturating_mul(self.compression.map_or(1, |_| USUAL_RATIO))
    }
}

impl<R: Read> Read for Input<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let (result, counted, compression) = match &mut self.decoder {
            Decoder::Plain(counted) => return counted.read(into),
            Decoder::Gzip(gzip) => (gzip.read(into), gzip.get_ref(), Compression::Gzip),
            Decoder::Zstd(zstd) => (zstd.read(into), zstd.get_ref(), Compression::Zstd),
        };
        result.map_err(|e| {
            // The disk's own errors are not the data's.
            if counted.failed || e.kind() == io::ErrorKind::Interrupted {
                return e;
            }
            let what = (e.kind() != io::ErrorKind::UnexpectedEof).then(|| e.to_string());
            let at = counted.taken.load(Ordering::Relaxed);
            io::Error::other(Broken { compression, at, what })
        })
    }
}

/// A file that counts what is taken from it.
struct Counted<R> {
    file: R,
    buffer: Vec<u8>,
    at: usize,
    len: usize,
    taken: Arc<AtomicU64>,
    failed: bool,
}

impl<R: Read> Counted<R> {
    /// The first bytes, not taken; fewer than `n` only where the file has fewer.
    fn peek(&mut self, n: usize) -> io::Result<&[u8]> {
        while self.len < n {
            match self.file.read(&mut self.buffer[self.len..]) {
                Ok(0) => break,
                Ok(more) => self.len += more,
                Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
                Err(e) => return Err(e),
            }
        }
        Ok(&self.buffer[..self.len])
    }

    fn count(&self, bytes: usize) {
        self.taken.fetch_add(bytes as u64, Ordering::Relaxed);
    }
}

impl<R: Read> Read for Counted<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let kept = &self.buffer[self.at..self.len];
        let n = if kept.is_empty() {
            self.file.read(into)?
        } else {
            let n = kept.len().min(into.len());
            into[..n].copy_from_slice(&kept[..n]);
            self.at += n;
            n
        };
        self.count(n);
        Ok(n)
    }
}

impl<R: Read> BufRead for Counted<R> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        while self.at == self.len {
            match self.file.read(&mut self.buffer) {
                Ok(n) => {
                    (self.at, self.len) = (0, n);
                    break;
                }
                Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
                Err(e) => {
                    self.failed = true;
                    return Err(e);
                }
            }
        }
        Ok(&self.buffer[self.at..self.len])
    }

    fn consume(&mut self, bytes: usize) {
        let bytes = bytes.min(self.len - self.at);
        self.at += bytes;
        self.count(bytes);
    }
}
