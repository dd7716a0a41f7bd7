//! A sampling heap profile: which calls allocated what is still alive.
//!
//! V8 notes the call stack of every so many bytes allocated, forgets those whose object died, and scales
//! the rest up. What remains is a tree of calls, each with the bytes that live of its own allocations.
//! Here it is columns, in preorder: a call's callees follow it in one piece.

use crate::graph::GraphError;

/// A function that was called, by the place where its code begins. Lines and columns count from 0.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct CallFrame {
    /// Its name; empty for an anonymous one. V8's own are in parentheses: `(root)`, `(V8 API)`.
    pub function: String,
    /// The script's path or URL; empty where there is none.
    pub script: String,
    /// V8's number of the script.
    pub script_id: String,
    /// Line, from 0.
    pub line: Option<u32>,
    /// Column in UTF-16 units, from 0.
    pub column: Option<u32>,
}

/// The raw columns of a profile. One entry a call, in preorder, but for `frames`.
#[derive(Clone, Debug, Default)]
pub struct ProfileColumns {
    /// The call that made this one; the first call's is itself.
    pub parent: Vec<u32>,
    /// The function called: an index into `frames`.
    pub frame: Vec<u32>,
    /// Bytes that live of what the call itself allocated.
    pub self_bytes: Vec<u64>,
    /// How many samples that number rests on; zeros when the file lists none.
    pub samples: Vec<u32>,
    /// The functions.
    pub frames: Vec<CallFrame>,
}

/// A tree of calls. Call 0 is the root.
#[derive(Clone, Debug)]
pub struct AllocationProfile {
    columns: ProfileColumns,
    /// By call: how many calls the subtree has, itself included.
    subtree: Vec<u32>,
}

impl AllocationProfile {
    /// Checks the columns, O(calls).
    ///
    /// # Errors
    /// [`GraphError`] when lengths disagree, an index points outside its table, or the order is no preorder.
    pub fn new(columns: ProfileColumns) -> Result<Self, GraphError> {
        let n = columns.parent.len();
        if n == 0 {
            return Err(GraphError::NoNodes);
        }
        let lengths = [
            ("frame", columns.frame.len()),
            ("self_bytes", columns.self_bytes.len()),
            ("samples", columns.samples.len()),
        ];
        for (column, actual) in lengths {
            if actual != n {
                return Err(GraphError::Length { column, actual, expected: n });
            }
        }
        let outside = |what, at: usize, index: u32, limit: usize| GraphError::OutOfRange {
            what,
            at: at as u64,
            index: index.into(),
            limit: limit as u64,
        };
        // The calls from the root to the one before: the next one's caller must be among them.
        let mut open: Vec<u32> = vec![0];
        for (at, (&parent, &frame)) in columns.parent.iter().zip(&columns.frame).enumerate() {
            if frame as usize >= columns.frames.len() {
                return Err(outside("function of call", at, frame, columns.frames.len()));
            }
            if at == 0 {
                if parent != 0 {
                    return Err(outside("caller of call", at, parent, 1));
                }
                continue;
            }
            while open.last().is_some_and(|&last| last != parent) {
                open.pop();
            }
            if open.is_empty() {
                return Err(outside("caller of call", at, parent, at));
            }
            open.push(at as u32);
        }
        let mut subtree = vec![1u32; n];
        for at in (1..n).rev() {
            subtree[columns.parent[at] as usize] += subtree[at];
        }
        Ok(Self { columns, subtree })
    }

    /// How many calls there are.
    pub fn len(&self) -> usize {
        self.columns.parent.len()
    }

    /// Whether there are none, which no profile allows.
    pub fn is_empty(&self) -> bool {
        self.columns.parent.is_empty()
    }

    /// The call that made this one; `None` for the root.
    pub fn caller(&self, call: u32) -> Option<u32> {
        (call != 0).then(|| self.columns.parent[call as usize])
    }

    /// The function called: its number among [`frames`](Self::frames).
    pub fn frame_index(&self, call: u32) -> u32 {
        self.columns.frame[call as usize]
    }

    /// The functions, each once.
    pub fn frames(&self) -> &[CallFrame] {
        &self.columns.frames
    }

    /// Bytes that live of what the call itself allocated.
    pub fn self_bytes(&self, call: u32) -> u64 {
        self.columns.self_bytes[call as usize]
    }

    /// How many samples that rests on.
    pub fn samples(&self, call: u32) -> u32 {
        self.columns.samples[call as usize]
    }

    /// How many calls the call and all below it are; they follow each other.
    pub fn subtree_len(&self, call: u32) -> u32 {
        self.subtree[call as usize]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn profile(parent: &[u32]) -> Result<AllocationProfile, GraphError> {
        let n = parent.len();
        AllocationProfile::new(ProfileColumns {
            parent: parent.to_vec(),
            frame: vec![0; n],
            self_bytes: vec![1; n],
            samples: vec![0; n],
            frames: vec![CallFrame::default()],
        })
    }

    #[test]
    fn callees_follow_their_caller_in_one_piece() {
        let tree = profile(&[0, 0, 1, 1, 0]).expect("a preorder");
        assert_eq!([0, 1, 2, 3, 4].map(|call| tree.subtree_len(call)), [5, 3, 1, 1, 1]);
        assert_eq!((tree.caller(0), tree.caller(3)), (None, Some(1)));
        // Call 1 was over when call 2 began.
        assert!(profile(&[0, 0, 0, 1]).is_err());
        assert!(profile(&[0, 2, 0]).is_err());
        assert!(profile(&[1, 0]).is_err());
        assert!(profile(&[]).is_err());
    }
}
