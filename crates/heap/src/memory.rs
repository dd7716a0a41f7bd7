//! Large columns and the hardware: huge pages and prefetching.
//!
//! Two hints the processor and the kernel take from us, and nothing else; both change speed only. They
//! are the crate's one place with `unsafe`, each behind a function that is safe to call with anything.
//!
//! - A fresh page costs a fault, and a gigabyte of columns is a quarter of a million of them: on virtual
//!   machines more than half a second. In pages of two megabytes it is five hundred.
//! - A heap graph is walked at random, and each step waits for memory. Asking for the lines of the next few
//!   nodes ahead of time lets the waits overlap.

/// Columns below this many bytes stay in ordinary pages: a huge one would be mostly empty.
const HUGE_FROM: usize = 4 << 20;

/// An empty vector with room for exactly `capacity` values, in huge pages where the kernel grants them.
pub fn vec_with_capacity<T>(capacity: usize) -> Vec<T> {
    let mut vec = Vec::new();
    reserve_exact(&mut vec, capacity);
    vec
}

/// Reserves room for exactly `additional` more values, in huge pages where the kernel grants them.
pub fn reserve_exact<T>(vec: &mut Vec<T>, additional: usize) {
    vec.reserve_exact(additional);
    advise_huge(vec.as_ptr().cast(), vec.capacity().saturating_mul(size_of::<T>()));
}

/// A vector of `len` zeros, in huge pages where the kernel grants them. Pages that are never written cost
/// nothing.
pub fn zeroed<T: bytemuck::Zeroable>(len: usize) -> Vec<T> {
    let vec: Vec<T> = bytemuck::zeroed_vec(len);
    advise_huge(vec.as_ptr().cast(), len.saturating_mul(size_of::<T>()));
    vec
}

#[cfg(target_os = "linux")]
#[expect(unsafe_code, reason = "one system call on a range of memory that is ours")]
fn advise_huge(start: *const u8, bytes: usize) {
    const PAGE: usize = 4096;
    if bytes < HUGE_FROM {
        return;
    }
    // Only whole pages inside the allocation: what shares a page with it is not ours to advise on.
    let first = start.align_offset(PAGE);
    if first >= bytes {
        return;
    }
    let len = (bytes - first) / PAGE * PAGE;
    // SAFETY: the range lies inside one live allocation of ours, and this advice changes how it is backed,
    // never what it holds. A kernel without huge pages refuses, which is no loss.
    let _ = unsafe {
        rustix::mm::madvise(
            start.add(first).cast_mut().cast(),
            len,
            rustix::mm::Advice::LinuxHugepage,
        )
    };
}

#[cfg(not(target_os = "linux"))]
fn advise_huge(_: *const u8, _: usize) {}

/// Asks for the cache line of `slice[index]`. An index outside asks for nothing.
#[inline]
#[expect(unsafe_code, reason = "the instruction has no safe name")]
pub fn prefetch<T>(slice: &[T], index: usize) {
    #[cfg(target_arch = "x86_64")]
    if let Some(value) = slice.get(index) {
        use std::arch::x86_64::{_MM_HINT_T0, _mm_prefetch};
        // SAFETY: a hint that reads nothing and cannot fault; the address is that of a live value besides.
        unsafe { _mm_prefetch::<_MM_HINT_T0>(std::ptr::from_ref(value).cast()) };
    }
    #[cfg(not(target_arch = "x86_64"))]
    let _ = (slice, index);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn advice_changes_nothing_that_is_held() {
        let mut large: Vec<u32> = vec_with_capacity(3 << 20);
        large.extend(0..3 << 20);
        assert!(large.iter().enumerate().all(|(i, &v)| i == v as usize));
        reserve_exact(&mut large, 3 << 20);
        assert_eq!(large.last(), Some(&((3 << 20) - 1)));
        assert!(zeroed::<u64>(1 << 20).iter().all(|&v| v == 0));
        assert!(zeroed::<u8>(0).is_empty());
        prefetch(&large, 17);
        prefetch(&large, usize::MAX);
    }
}
