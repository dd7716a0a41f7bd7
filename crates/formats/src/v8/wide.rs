//! The inner loop of the reader for processors with AVX2: four numbers at a time.
//!
//! The same as [`super::digits`], but the last step is taken for four numbers together. The eight bytes before
//! each number's end, shifted clean of what stands before it, are gathered until there are some dozens;
//! then each four of them become numbers by one subtraction and three multiply-and-adds: of digits to
//! pairs, of pairs to fours, of fours to eights. Nothing branches on the length of a number, which no processor can
//! foretell. Numbers of more than eight digits get their upper part afterwards.
//!
//! This is the one place with `unsafe` beside the mapping of the index: calling a function that is compiled
//! for instructions which not every processor has. It follows a check that this one has them.

use std::arch::x86_64::{
    _mm_cvtsi128_si64, _mm_extract_epi64, _mm256_castsi256_si128, _mm256_madd_epi16,
    _mm256_maddubs_epi16, _mm256_packus_epi32, _mm256_permute4x64_epi64, _mm256_set_epi64x,
    _mm256_set1_epi8, _mm256_set1_epi16, _mm256_set1_epi32, _mm256_subs_epu8,
};

use super::digits::{BLOCK, LEAD, eight, for_blocks};

/// Whether this processor has what [`fast`] needs: nearly all in service do.
pub(super) fn is_supported() -> bool {
    std::arch::is_x86_feature_detected!("avx2")
        && std::arch::is_x86_feature_detected!("bmi1")
        && std::arch::is_x86_feature_detected!("bmi2")
}

/// As [`super::digits::fast`].
pub(super) fn fast(padded: &[u8], values: &mut [u32]) -> Option<usize> {
    if !is_supported() {
        return None;
    }
    #[expect(unsafe_code, reason = "see the head of this file")]
    // SAFETY: the processor has what the function is compiled for; that was checked a line above.
    unsafe {
        fast_supported(padded, values)
    }
}

/// Windows that are gathered before they become numbers; a block holds up to 32.
const GATHERED: usize = 256;

/// Digits before the last eight of a number.
struct Upper {
    /// Which number.
    index: usize,
    /// What they add to it.
    value: u64,
}

#[target_feature(enable = "avx2,bmi1,bmi2")]
fn fast_supported(padded: &[u8], values: &mut [u32]) -> Option<usize> {
    let text = padded.get(LEAD..)?;
    let mut windows = [0u64; GATHERED];
    let mut gathered = 0;
    let mut count = 0;
    let mut start = LEAD;
    let mut uppers: Vec<Upper> = Vec::new();
    let valid = for_blocks(text, |base, masks, before| {
        let base = LEAD + base;
        let mut ends = masks.number_ends(before);
        while ends != 0 {
            let at = ends.trailing_zeros();
            ends &= ends - 1;
            let end = base + at as usize;
            let len = end.wrapping_sub(start);
            // There are always eight bytes before an end: `LEAD` sees to that.
            let bytes = padded.get(end.wrapping_sub(8)..)?.first_chunk::<8>()?;
            let mut shift = 64u32.wrapping_sub(8 * len as u32);
            if len > 8 {
                if len > 16 {
                    return None;
                }
                let value = eight(padded, end - 8, len - 8) * 100_000_000;
                uppers.push(Upper { index: count + gathered, value });
                shift = 0;
            }
            *windows.get_mut(gathered)? =
                u64::from_le_bytes(*bytes) >> (shift & 63) << (shift & 63);
            gathered += 1;
            start = end + 1 + (masks.ends >> at & 1) as usize;
        }
        if gathered > GATHERED - BLOCK / 2 {
            convert(&windows, gathered, values.get_mut(count..)?)?;
            count += gathered;
            gathered = 0;
        }
        Some(())
    })?;
    convert(&windows, gathered, values.get_mut(count..)?)?;
    count += gathered;
    for upper in uppers {
        let value = values.get_mut(upper.index)?;
        *value = u32::try_from(upper.value + u64::from(*value)).ok()?;
    }
    (valid && start == padded.len()).then_some(count)
}

/// Turns the first `count` windows into numbers, and up to three more into anything.
#[target_feature(enable = "avx2,bmi1,bmi2")]
fn convert(windows: &[u64; GATHERED], count: usize, values: &mut [u32]) -> Option<()> {
    let (fours, _) = windows.as_chunks::<4>();
    let (places, _) = values.as_chunks_mut::<4>();
    let fours = fours.get(..count.div_ceil(4))?;
    for (&[a, b, c, d], place) in fours.iter().zip(places.get_mut(..fours.len())?) {
        let [a, b, c, d] = [a, b, c, d].map(u64::cast_signed);
        let bytes = _mm256_set_epi64x(d, c, b, a);
        // What was shifted in is zero already, and stays it. The factors: 10 and 1, 100 and 1, 10,000 and 1.
        let digits = _mm256_subs_epu8(bytes, _mm256_set1_epi8(b'0'.cast_signed()));
        let pairs = _mm256_maddubs_epi16(digits, _mm256_set1_epi16(0x010A));
        let quads = _mm256_madd_epi16(pairs, _mm256_set1_epi32(0x0001_0064));
        let packed = _mm256_packus_epi32(quads, quads);
        let eights = _mm256_madd_epi16(packed, _mm256_set1_epi32(0x0001_2710));
        // Each half holds its two numbers twice.
        let four = _mm256_castsi256_si128(_mm256_permute4x64_epi64::<0b10_00>(eights));
        let (low, high) = (_mm_cvtsi128_si64(four), _mm_extract_epi64::<1>(four));
        *place = [low as u32, (low >> 32) as u32, high as u32, (high >> 32) as u32];
    }
    Some(())
}
