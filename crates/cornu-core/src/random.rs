//! The counter-based generator and what is drawn from it on the host.

/// Philox4x32-10 (Salmon, Moraes, Dror, Shaw: "Parallel random numbers: as easy as 1, 2, 3", 2011):
/// four random words for block `block` of stream `stream` in state `[seed low, seed high, step]`.
pub fn philox(state: &[i32], stream: u32, block: u64) -> [u32; 4] {
    let word = |i: usize| state.get(i).copied().unwrap_or(0) as u32;
    let mut counter = [block as u32, (block >> 32) as u32, word(2), stream];
    let mut key = [word(0), word(1)];
    for _ in 0..10 {
        let a = u64::from(counter[0]) * 0xD251_1F53;
        let b = u64::from(counter[2]) * 0xCD9E_8D57;
        counter = [
            (b >> 32) as u32 ^ counter[1] ^ key[0],
            b as u32,
            (a >> 32) as u32 ^ counter[3] ^ key[1],
            a as u32,
        ];
        key = [
            key[0].wrapping_add(0x9E37_79B9),
            key[1].wrapping_add(0xBB67_AE85),
        ];
    }
    counter
}

/// The state for a seed, at step 0.
pub fn state(seed: u64) -> [i32; 3] {
    [seed as u32 as i32, (seed >> 32) as u32 as i32, 0]
}

/// Random words on the host, one after another, from a seed and a stream.
#[derive(Clone, Debug)]
pub struct Stream {
    state: [i32; 3],
    stream: u32,
    block: u64,
    words: [u32; 4],
    used: usize,
}

impl Stream {
    /// The stream's words from the first on.
    pub fn new(seed: u64, stream: u32) -> Stream {
        Stream {
            state: state(seed),
            stream,
            block: 0,
            words: [0; 4],
            used: 4,
        }
    }

    /// The next word.
    pub fn next_u32(&mut self) -> u32 {
        if self.used == 4 {
            self.words = philox(&self.state, self.stream, self.block);
            self.block += 1;
            self.used = 0;
        }
        self.used += 1;
        self.words[self.used - 1]
    }

    /// Uniform in `0..n` (n > 0), by Lemire's multiplication with rejection.
    pub fn below(&mut self, n: u32) -> u32 {
        let n = n.max(1);
        let threshold = n.wrapping_neg() % n;
        loop {
            let wide = u64::from(self.next_u32()) * u64::from(n);
            if wide as u32 >= threshold {
                return (wide >> 32) as u32;
            }
        }
    }

    /// Puts the elements in random order (Fisher and Yates).
    pub fn shuffle<T>(&mut self, items: &mut [T]) {
        for i in (1..items.len()).rev() {
            items.swap(i, self.below(i as u32 + 1) as usize);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The known answers of the Random123 distribution (`kat_vectors`, philox4x32 10).
    #[test]
    fn philox_known_answers() {
        assert_eq!(
            philox(&[0, 0, 0], 0, 0),
            [0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8]
        );
        assert_eq!(
            philox(&[-1, -1, -1], u32::MAX, u64::MAX),
            [0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd]
        );
    }

    #[test]
    fn shuffle_is_a_permutation() {
        let mut v: Vec<u32> = (0..1000).collect();
        Stream::new(7, 0).shuffle(&mut v);
        assert_ne!(v[..10], [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
        v.sort_unstable();
        assert!(v.iter().enumerate().all(|(i, x)| i as u32 == *x));
    }
}
