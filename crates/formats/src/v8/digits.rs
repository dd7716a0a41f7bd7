//! Text to numbers: the inner loop of the reader.
//!
//! Nine tenths of a snapshot are decimal numbers between commas. [`fast`] reads them as V8 writes them;
//! anything else, valid or not, it leaves to [`careful`], which takes white space, large numbers and names
//! the place of what is wrong.
//!
//! How the fast path works. Reading digit by digit, the processor mispredicts the end of nearly every
//! number. So a block of 64 bytes is first turned into three bit masks (digits, commas, line ends), a few
//! instructions each. The ends of numbers are then bits, found one after the other without looking at the
//! text again, and each number is one load of the eight bytes before its end, shifted clean and summed by
//! three multiplications, independent of the one before. Whether the text is what V8 writes is also a
//! question to the masks: no comma after a comma, no line end that is not followed by a comma. About one
//! nanosecond a number, against three.

use wide::i8x16;

/// Bytes before the text, so that the eight (or sixteen) bytes before any number's end can be loaded.
pub(super) const LEAD: usize = 16;

/// Bytes in a block.
pub(super) const BLOCK: usize = 64;

/// Numbers a text of `len` bytes can hold at most: a digit and a comma each.
pub(super) fn most_numbers(len: usize) -> usize {
    len / 2 + 1 + SPARE
}

/// Room for a few numbers more: they are written several at a time.
const SPARE: usize = 8;

/// Reads numbers, each followed by a comma, in the way V8 writes them: no white space but a line end before
/// a comma. `padded` is [`LEAD`] bytes of anything, then the text; `values` has room for
/// [`most_numbers`]. Returns how many there are; `None` where the text is anything else, or a number has
/// more than 32 bits, and `values` then holds nothing of use.
pub(super) fn fast(padded: &[u8], values: &mut [u32]) -> Option<usize> {
    #[cfg(target_arch = "x86_64")]
    if super::wide::is_supported() {
        return super::wide::fast(padded, values);
    }
    fast_anywhere(padded, values)
}

fn fast_anywhere(padded: &[u8], values: &mut [u32]) -> Option<usize> {
    let text = padded.get(LEAD..)?;
    let mut under_way = UnderWay { start: LEAD, count: 0 };
    let valid = for_blocks(text, |base, masks, before| {
        numbers(padded, LEAD + base, masks, before, &mut under_way, values)
    })?;
    // A number without a comma, or a line end without one, is left over.
    (valid && under_way.start == padded.len()).then_some(under_way.count)
}

/// Calls `each` with every block's place in the text, its masks, and those of the byte before it; stops when
/// it returns nothing. Whether the text is what V8 writes.
#[inline(always)]
#[expect(clippy::inline_always, reason = "so that it is compiled for its caller's processor")]
pub(super) fn for_blocks(
    text: &[u8],
    mut each: impl FnMut(usize, Masks, Masks) -> Option<()>,
) -> Option<bool> {
    let mut before = Masks::default();
    let mut wrong = 0;
    let (blocks, rest) = text.as_chunks::<BLOCK>();
    for (i, block) in blocks.iter().enumerate() {
        let masks = Masks::of(block);
        wrong |= masks.wrong(before);
        each(i * BLOCK, masks, before)?;
        before = masks.last();
    }
    let mut last = [0; BLOCK];
    last[..rest.len()].copy_from_slice(rest);
    let masks = Masks::of(&last);
    wrong |= masks.wrong(before) & ((1 << rest.len()) - 1);
    each(blocks.len() * BLOCK, masks, before)?;
    Some(wrong == 0)
}

/// The number that is not finished yet.
struct UnderWay {
    /// Where it begins, counted in `padded`.
    start: usize,
    /// How many are finished.
    count: usize,
}

/// The kinds of bytes in a block, a bit each; the first byte is the lowest.
#[derive(Clone, Copy, Default)]
pub(super) struct Masks {
    pub(super) digits: u64,
    commas: u64,
    /// Line ends.
    pub(super) ends: u64,
}

impl Masks {
    #[inline(always)]
    #[expect(clippy::inline_always, reason = "as above")]
    fn of(block: &[u8; BLOCK]) -> Self {
        let mut masks = Self::default();
        for (i, bytes) in block.as_chunks::<16>().0.iter().enumerate() {
            let bytes = i8x16::new(bytes.map(u8::cast_signed));
            // '0'..='9' moved to the ten lowest signed values.
            let moved = bytes + i8x16::splat((128 - b'0').cast_signed());
            let bits = |m: i8x16| u64::from(m.to_bitmask()) << (16 * i);
            masks.digits |= bits(moved.simd_lt(i8x16::splat(-118)));
            masks.commas |= bits(bytes.simd_eq(i8x16::splat(b','.cast_signed())));
            masks.ends |= bits(bytes.simd_eq(i8x16::splat(b'\n'.cast_signed())));
        }
        masks
    }

    #[cfg(test)]
    fn one_by_one(block: &[u8; BLOCK]) -> Self {
        let mut masks = Self::default();
        for (i, &b) in block.iter().enumerate() {
            masks.digits |= u64::from(b.is_ascii_digit()) << i;
            masks.commas |= u64::from(b == b',') << i;
            masks.ends |= u64::from(b == b'\n') << i;
        }
        masks
    }

    /// What V8 does not write: any other byte; a comma that follows neither digit nor line end; a line end
    /// that follows no digit; a digit that follows a line end.
    #[inline]
    fn wrong(self, before: Self) -> u64 {
        let after_digit = self.digits << 1 | before.digits;
        let after_end = self.ends << 1 | before.ends;
        !(self.digits | self.commas | self.ends)
            | self.commas & !(after_digit | after_end)
            | self.ends & !after_digit
            | self.digits & after_end
    }

    /// Where numbers end: what comes right after a digit, a comma, or a line end with a comma behind it.
    #[inline]
    pub(super) fn number_ends(self, before: Self) -> u64 {
        !self.digits & (self.digits << 1 | before.digits)
    }

    /// The block's last byte, as the byte before the next block's first.
    #[inline]
    fn last(self) -> Self {
        Self { digits: self.digits >> 63, commas: self.commas >> 63, ends: self.ends >> 63 }
    }
}

/// Reads the numbers that end in a block.
#[inline]
fn numbers(
    padded: &[u8],
    base: usize,
    masks: Masks,
    before: Masks,
    under_way: &mut UnderWay,
    values: &mut [u32],
) -> Option<()> {
    let UnderWay { mut start, mut count } = *under_way;
    let mut ends = masks.number_ends(before);
    while ends != 0 {
        let at = ends.trailing_zeros();
        ends &= ends - 1;
        let end = base + at as usize;
        *values.get_mut(count)? = number(padded, end, end.wrapping_sub(start))?;
        count += 1;
        start = end + 1 + (masks.ends >> at & 1) as usize;
    }
    *under_way = UnderWay { start, count };
    Some(())
}

/// The number whose `len` digits end before `end`.
#[inline]
fn number(padded: &[u8], end: usize, len: usize) -> Option<u32> {
    // More than half of all numbers, and mostly at the same places of a record, which the processor learns.
    if len == 1 {
        return padded.get(end.wrapping_sub(1)).map(|&digit| u32::from(digit & 15));
    }
    if len.wrapping_sub(1) < 8 {
        return Some(eight(padded, end, len) as u32);
    }
    if len == 0 || len > 16 {
        return None;
    }
    let value = eight(padded, end - 8, len - 8) * 100_000_000 + eight(padded, end, 8);
    u32::try_from(value).ok()
}

/// The number of up to eight digits that end before `end`.
#[inline]
pub(super) fn eight(padded: &[u8], end: usize, len: usize) -> u64 {
    // There are always eight bytes before an end: `LEAD` sees to that.
    let before = padded.get(end.wrapping_sub(8)..).and_then(|rest| rest.first_chunk::<8>());
    let bytes = before.copied().unwrap_or_default();
    // The first digit stands lowest. What stands before it is shifted out and becomes leading zeros.
    let digits = (u64::from_le_bytes(bytes) ^ 0x3030_3030_3030_3030)
        & (u64::MAX << ((64 - 8 * len as u32) & 63));
    let pairs = digits.wrapping_mul(10).wrapping_add(digits >> 8);
    let low = (pairs & 0x0000_00FF_0000_00FF).wrapping_mul(0x000F_4240_0000_0064);
    let high = (pairs >> 16 & 0x0000_00FF_0000_00FF).wrapping_mul(0x0000_2710_0000_0001);
    low.wrapping_add(high) >> 32
}

/// What [`careful`] found wrong.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Wrong {
    /// Where, in bytes from the start of the text.
    pub(super) at: usize,
    /// What, in words; empty when the text ends where a number should stand.
    pub(super) what: String,
}

/// Reads numbers between commas with any white space. A comma ends the text, or, where it is the array's
/// `last` piece, a number does.
pub(super) fn careful(text: &[u8], last: bool, values: &mut Vec<u64>) -> Result<(), Wrong> {
    values.clear();
    let wrong = |at: usize, what: String| Err(Wrong { at, what });
    let mut at = 0;
    loop {
        at = skip_white(text, at);
        if at == text.len() {
            // Nothing after a comma, or nothing at all.
            let complete = !last || values.is_empty();
            return if complete {
                Ok(())
            } else {
                wrong(at, "expected a number, found `]`".into())
            };
        }
        let digits = text[at..].iter().take_while(|b| b.is_ascii_digit()).count();
        match (digits, text[at]) {
            (1..=19, _) => {
                let number = text[at..at + digits].iter();
                let value = number.fold(0u64, |v, b| v.wrapping_mul(10) + u64::from(b - b'0'));
                values.push(value);
            }
            (0, b'-') => {
                return wrong(at, "a negative number where only counts and indexes stand".into());
            }
            (0, b) => {
                let found = (b as char).escape_default();
                return wrong(at, format!("expected a number, found `{found}`"));
            }
            _ => return wrong(at, "a number of more than 19 digits".into()),
        }
        at = skip_white(text, at + digits);
        match text.get(at) {
            Some(b',') => at += 1,
            None if last => return Ok(()),
            None => return wrong(at, String::new()),
            Some(&b) => {
                let found = (b as char).escape_default();
                return wrong(at, format!("expected `,` or `]`, found `{found}`"));
            }
        }
    }
}

fn skip_white(text: &[u8], at: usize) -> usize {
    let white = |b: &&u8| matches!(b, b' ' | b'\t' | b'\n' | b'\r');
    at + text[at..].iter().take_while(white).count()
}

/// Where the number with this index begins, in bytes from the start of the text.
pub(super) fn place_of(text: &[u8], index: usize) -> usize {
    let after_comma = match index.checked_sub(1) {
        None => 0,
        Some(i) => memchr::memchr_iter(b',', text).nth(i).map_or(text.len(), |comma| comma + 1),
    };
    skip_white(text, after_comma)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// What the fast path (every one there is) and the careful one read.
    fn both(text: &str) -> (Option<Vec<u32>>, Result<Vec<u64>, Wrong>) {
        let mut padded = vec![b'7'; LEAD];
        padded.extend_from_slice(text.as_bytes());
        let (mut quick, mut slow) = (vec![0; most_numbers(text.len())], Vec::new());
        let anywhere = fast_anywhere(&padded, &mut quick).map(|n| quick[..n].to_vec());
        let quick = fast(&padded, &mut quick).map(|n| quick[..n].to_vec());
        assert_eq!(quick, anywhere, "{text:?}");
        let slow = careful(text.as_bytes(), false, &mut slow).map(|()| slow);
        (quick, slow)
    }

    #[test]
    fn what_v8_writes_is_read_fast() {
        for (text, expected) in [
            ("0,", vec![0]),
            ("1,22,333\n,", vec![1, 22, 333]),
            ("12345678,123456789,4294967295,", vec![12_345_678, 123_456_789, u32::MAX]),
            ("", vec![]),
        ] {
            let (quick, slow) = both(text);
            assert_eq!(quick, Some(expected.clone()), "{text:?}");
            assert_eq!(slow, Ok(expected.into_iter().map(u64::from).collect()), "{text:?}");
        }
    }

    #[test]
    fn what_v8_does_not_write_is_left_to_care() {
        for (text, slow) in [
            ("4294967296,", Ok(vec![4_294_967_296])),
            ("1 ,2,", Ok(vec![1, 2])),
            ("1,\n2,", Ok(vec![1, 2])),
            ("1\n\n,2,", Ok(vec![1, 2])),
            ("1,,2,", Err((2, "expected a number, found `,`"))),
            (",1,", Err((0, "expected a number, found `,`"))),
            ("1,-2,", Err((2, "a negative number where only counts and indexes stand"))),
            ("1.5,", Err((1, "expected `,` or `]`, found `.`"))),
            ("1\n2,", Err((2, "expected `,` or `]`, found `2`"))),
            ("12345678901234567890,", Err((0, "a number of more than 19 digits"))),
            ("1,2", Err((3, ""))),
            ("\n,1,", Err((1, "expected a number, found `,`"))),
        ] {
            let (quick, found) = both(text);
            assert_eq!(quick, None, "{text:?}");
            let expected =
                slow.map_err(|(at, what): (usize, &str)| Wrong { at, what: what.into() });
            assert_eq!(found, expected, "{text:?}");
        }
    }

    #[test]
    fn an_array_may_not_end_in_a_comma() {
        let mut values = Vec::new();
        assert_eq!(careful(b"1, 2 ", true, &mut values), Ok(()));
        assert_eq!(values, [1, 2]);
        assert_eq!(careful(b"", true, &mut values), Ok(()));
        assert!(careful(b"1,", true, &mut values).is_err());
        assert_eq!(place_of(b"1, 22,\n 3", 2), 8);
        assert_eq!(place_of(b" 1", 0), 1);
    }

    proptest! {
        #[test]
        fn masks_agree(bytes in proptest::array::uniform32(any::<u8>())) {
            let mut block = [0; BLOCK];
            block[..32].copy_from_slice(&bytes);
            block[32..].copy_from_slice(&bytes.map(|b| b % 24 + 40));
            let (a, b) = (Masks::of(&block), Masks::one_by_one(&block));
            prop_assert_eq!((a.digits, a.commas, a.ends), (b.digits, b.commas, b.ends));
        }

        #[test]
        fn fast_says_what_care_says(text in "([0-9]{1,11}\n?,){0,40}") {
            let (quick, slow) = both(&text);
            let slow = slow.expect("well-formed");
            if let Some(quick) = quick {
                prop_assert_eq!(quick.into_iter().map(u64::from).collect::<Vec<_>>(), slow);
            } else {
                prop_assert!(slow.iter().any(|&v| v > u64::from(u32::MAX)));
            }
        }

        #[test]
        fn fast_takes_nothing_that_care_refuses(text in "[0-9,\n ]{0,80}") {
            let (quick, slow) = both(&text);
            if let Some(quick) = quick {
                prop_assert_eq!(quick.into_iter().map(u64::from).collect::<Vec<_>>(), slow.expect("well-formed"));
            }
        }
    }
}
