//! Hashes of texts that are the same on every machine, as TensorFlow and Keras use them.

const K0: u64 = 0xc3a5_c85c_97cb_3127;
const K1: u64 = 0xb492_b66f_be98_f273;
const K2: u64 = 0x9ae1_6a3b_2f90_404f;

/// `Fingerprint64` of FarmHash (G. Pike, 2014), which is `farmhashna::Hash64`.
pub fn fingerprint(s: &[u8]) -> u64 {
    match s.len() {
        0..=16 => up_to_16(s),
        17..=32 => up_to_32(s),
        33..=64 => up_to_64(s),
        _ => longer(s),
    }
}

/// Eight bytes from a place on, the least first; what is beyond the end counts as 0.
fn eight(s: &[u8], at: usize) -> u64 {
    let bytes = s.get(at..).unwrap_or_default();
    let bytes = bytes.iter().take(8).rev();
    bytes.fold(0, |all, b| all << 8 | u64::from(*b))
}

fn four(s: &[u8], at: usize) -> u64 {
    eight(s, at) & 0xffff_ffff
}

fn shift_mix(v: u64) -> u64 {
    v ^ (v >> 47)
}

/// `HashLen16` with a multiplier.
fn mixed(u: u64, v: u64, mul: u64) -> u64 {
    let a = shift_mix((u ^ v).wrapping_mul(mul));
    shift_mix((v ^ a).wrapping_mul(mul)).wrapping_mul(mul)
}

fn multiplier(len: usize) -> u64 {
    K2.wrapping_add(2 * len as u64)
}

fn up_to_16(s: &[u8]) -> u64 {
    let len = s.len();
    let mul = multiplier(len);
    match len {
        0 => K2,
        1..=3 => {
            let byte = |i: usize| u32::from(s[i]);
            let y = byte(0) + (byte(len >> 1) << 8);
            let z = len as u32 + (byte(len - 1) << 2);
            let both = u64::from(y).wrapping_mul(K2) ^ u64::from(z).wrapping_mul(K0);
            shift_mix(both).wrapping_mul(K2)
        }
        4..=7 => {
            let first = (len as u64).wrapping_add(four(s, 0) << 3);
            mixed(first, four(s, len - 4), mul)
        }
        _ => {
            let a = eight(s, 0).wrapping_add(K2);
            let b = eight(s, len - 8);
            let c = b.rotate_right(37).wrapping_mul(mul).wrapping_add(a);
            let d = a.rotate_right(25).wrapping_add(b).wrapping_mul(mul);
            mixed(c, d, mul)
        }
    }
}

/// What the two middle lengths begin with: `a`, `c` and the sums that are mixed.
fn ends(s: &[u8], first: u64) -> (u64, u64, u64) {
    let mul = multiplier(s.len());
    let a = eight(s, 0).wrapping_mul(first);
    let b = eight(s, 8);
    let c = eight(s, s.len() - 8).wrapping_mul(mul);
    let d = eight(s, s.len() - 16).wrapping_mul(K2);
    let y = a.wrapping_add(b).rotate_right(43);
    let y = y.wrapping_add(c.rotate_right(30)).wrapping_add(d);
    let z = a.wrapping_add(b.wrapping_add(K2).rotate_right(18));
    (a, y, z.wrapping_add(c))
}

fn up_to_32(s: &[u8]) -> u64 {
    let (_, y, z) = ends(s, K1);
    mixed(y, z, multiplier(s.len()))
}

fn up_to_64(s: &[u8]) -> u64 {
    let (len, mul) = (s.len(), multiplier(s.len()));
    let (a, y, z) = ends(s, K2);
    let z = mixed(y, z, mul);
    let e = eight(s, 16).wrapping_mul(mul);
    let f = eight(s, 24);
    let g = y.wrapping_add(eight(s, len - 32)).wrapping_mul(mul);
    let h = z.wrapping_add(eight(s, len - 24)).wrapping_mul(mul);
    let u = e.wrapping_add(f).rotate_right(43);
    let u = u.wrapping_add(g.rotate_right(30)).wrapping_add(h);
    let v = e.wrapping_add(f.wrapping_add(a).rotate_right(18));
    mixed(u, v.wrapping_add(g), mul)
}

/// `WeakHashLen32WithSeeds` of the 32 bytes from a place on.
fn weak(s: &[u8], at: usize, a: u64, b: u64) -> (u64, u64) {
    let [w, x, y, z] = [0, 8, 16, 24].map(|i| eight(s, at + i));
    let a = a.wrapping_add(w);
    let b = b.wrapping_add(a).wrapping_add(z).rotate_right(21);
    let c = a;
    let a = a.wrapping_add(x).wrapping_add(y);
    let b = b.wrapping_add(a.rotate_right(44));
    (a.wrapping_add(z), b.wrapping_add(c))
}

/// The state of a hash of more than 64 bytes.
struct State {
    x: u64,
    y: u64,
    z: u64,
    v: (u64, u64),
    w: (u64, u64),
}

impl State {
    /// Takes in the 64 bytes from a place on; the last time with another multiplier and weights of 9.
    fn take(&mut self, s: &[u8], at: usize, mul: u64, weight: u64) {
        let sum = |terms: [u64; 3]| terms.into_iter().fold(0, u64::wrapping_add);
        let x = sum([self.x, self.y, self.v.0]).wrapping_add(eight(s, at + 8));
        let y = sum([self.y, self.v.1, eight(s, at + 48)]);
        let (x, y) = (
            x.rotate_right(37).wrapping_mul(mul),
            y.rotate_right(42).wrapping_mul(mul),
        );
        let x = x ^ self.w.1.wrapping_mul(weight);
        let y = sum([y, self.v.0.wrapping_mul(weight), eight(s, at + 40)]);
        let z = self
            .z
            .wrapping_add(self.w.0)
            .rotate_right(33)
            .wrapping_mul(mul);
        self.v = weak(s, at, self.v.1.wrapping_mul(mul), x.wrapping_add(self.w.0));
        let second = y.wrapping_add(eight(s, at + 16));
        self.w = weak(s, at + 32, z.wrapping_add(self.w.1), second);
        (self.x, self.y, self.z) = (z, y, x);
    }
}

fn longer(s: &[u8]) -> u64 {
    const SEED: u64 = 81;
    let y = SEED.wrapping_mul(K1).wrapping_add(113);
    let mut state = State {
        x: SEED.wrapping_mul(K2).wrapping_add(eight(s, 0)),
        y,
        z: shift_mix(y.wrapping_mul(K2).wrapping_add(113)).wrapping_mul(K2),
        v: (0, 0),
        w: (0, 0),
    };
    let rest = (s.len() - 1) & 63;
    for at in (0..s.len() - 1 - rest).step_by(64) {
        state.take(s, at, K1, 1);
    }
    let mul = K1.wrapping_add((state.z & 0xff) << 1);
    state.w.0 = state.w.0.wrapping_add(rest as u64);
    state.v.0 = state.v.0.wrapping_add(state.w.0);
    state.w.0 = state.w.0.wrapping_add(state.v.0);
    state.take(s, s.len() - 64, mul, 9);
    let State { x, y, z, v, w } = state;
    let first = mixed(v.0, w.0, mul).wrapping_add(shift_mix(y).wrapping_mul(K0));
    let second = mixed(v.1, w.1, mul).wrapping_add(x);
    mixed(first.wrapping_add(z), second, mul)
}

/// SipHash-2-4 of Aumasson and Bernstein (2012): a hash that nobody can predict who does not know the key.
pub fn sip_hash(key: [u64; 2], s: &[u8]) -> u64 {
    let mut v = [
        key[0] ^ 0x736f_6d65_7073_6575,
        key[1] ^ 0x646f_7261_6e64_6f6d,
        key[0] ^ 0x6c79_6765_6e65_7261,
        key[1] ^ 0x7465_6462_7974_6573,
    ];
    // The last word holds what is left over, and the length.
    let whole = s.len() / 8 * 8;
    let last = eight(s, whole) | (s.len() as u64) << 56;
    let words = (0..whole).step_by(8).map(|at| eight(s, at));
    for word in words.chain([last]) {
        v[3] ^= word;
        sip_rounds(&mut v, 2);
        v[0] ^= word;
    }
    v[2] ^= 0xff;
    sip_rounds(&mut v, 4);
    v.into_iter().fold(0, |all, v| all ^ v)
}

fn sip_rounds(v: &mut [u64; 4], rounds: usize) {
    let [mut a, mut b, mut c, mut d] = *v;
    for _ in 0..rounds {
        a = a.wrapping_add(b);
        c = c.wrapping_add(d);
        b = b.rotate_left(13) ^ a;
        d = d.rotate_left(16) ^ c;
        a = a.rotate_left(32).wrapping_add(d);
        c = c.wrapping_add(b);
        d = d.rotate_left(21) ^ a;
        b = b.rotate_left(17) ^ c;
        c = c.rotate_left(32);
    }
    *v = [a, b, c, d];
}

/// One fingerprint of two, in their order: TensorFlow's `FingerprintCat64`.
pub fn joined(first: u64, second: u64) -> u64 {
    const MUL: u64 = 0xc6a4_a793_5bd1_e995;
    let second = shift_mix(second.wrapping_mul(MUL)).wrapping_mul(MUL);
    let both = (first ^ MUL ^ second).wrapping_mul(MUL);
    shift_mix(shift_mix(both).wrapping_mul(MUL))
}

/// The decimal digits of a whole number, in the last places of `room`.
pub fn decimal(x: i64, room: &mut [u8; 20]) -> &[u8] {
    let mut from = room.len();
    let mut left = x.unsigned_abs();
    loop {
        from -= 1;
        room[from] = b'0' + (left % 10) as u8;
        left /= 10;
        if left == 0 {
            break;
        }
    }
    if x < 0 {
        from -= 1;
        room[from] = b'-';
    }
    &room[from..]
}

#[cfg(test)]
mod tests {
    use super::*;

    /// By TensorFlow's `tf.fingerprint`.
    #[test]
    fn fingerprints_are_farmhash() {
        let long = |letter: &str, n: usize| letter.repeat(n);
        for (text, want) in [
            (String::new(), 11160318154034397263),
            ("a".into(), 12917804110809363939),
            ("ab".into(), 12289600257749001502),
            ("abcd".into(), 1897425971756105985),
            ("abcdefgh".into(), 18368443631171807497),
            ("hello world, this is".into(), 15193049278178193195),
            (long("a", 33), 17311116001694225749),
            (long("b", 64), 13845213040103651976),
            (long("c", 65), 15943324299469176993),
            (long("d", 128), 39614773353803771),
            (long("e", 200), 12129700070571948172u64),
        ] {
            assert_eq!(fingerprint(text.as_bytes()), want, "{text:?}");
        }
    }

    /// By TensorFlow's `to_hash_bucket_strong`, into 2⁶² buckets.
    #[test]
    fn salted_hashes_are_siphash() {
        for (text, one, other) in [
            ("", 316627932347062996u64, 2253512952110454409u64),
            ("A", 2734447641339851216, 455095213799085012),
            ("abcdefg", 1733789709272385407, 1167968825898819562),
            ("abcdefgh", 210173030064361732, 1751925252928514368),
            (
                "hello world, this is",
                1735869954063926694,
                1820941495030433915,
            ),
        ] {
            let hash = |key| sip_hash(key, text.as_bytes()) % (1 << 62);
            assert_eq!(hash([133, 137]), one, "{text:?}");
            assert_eq!(hash([u64::MAX, i64::MAX as u64]), other, "{text:?}");
        }
    }

    #[test]
    fn digits_are_those_that_are_printed() {
        let numbers = [0, 7, -5, 10, 99, -100, i64::MAX, i64::MIN, 1 << 62];
        for x in numbers {
            assert_eq!(decimal(x, &mut [0; 20]), x.to_string().as_bytes());
        }
    }
}
