//! Conversions between `f32` and the bits of the half formats, branch-free; to the nearest, ties to
//! even.

/// The upper half.
#[inline(always)]
pub(crate) fn f32_to_bf16(x: f32) -> u16 {
    let b = x.to_bits();
    let rounded = (b.wrapping_add(0x7fff + ((b >> 16) & 1)) >> 16) as u16;
    let nan = ((b >> 16) as u16) | 0x40;
    if x.is_nan() { nan } else { rounded }
}

/// Exact.
#[inline(always)]
pub(crate) fn bf16_to_f32(h: u16) -> f32 {
    f32::from_bits(u32::from(h) << 16)
}

/// IEEE half precision; beyond 65519 infinity, small values denormal.
#[inline(always)]
pub(crate) fn f32_to_f16(x: f32) -> u16 {
    let b = x.to_bits();
    let sign = ((b >> 16) & 0x8000) as u16;
    let m = b & 0x7fff_ffff;
    // 143 << 23 is 65536, 113 << 23 the smallest normal half, 2^-14.
    let normal = (m
        .wrapping_sub(112 << 23)
        .wrapping_add(0xfff + ((m >> 13) & 1))
        >> 13) as u16;
    // Adding 0.5 shifts the bits of a denormal to the end, rounded.
    let denormal = (f32::from_bits(m) + 0.5)
        .to_bits()
        .wrapping_sub(0.5f32.to_bits()) as u16;
    let large = if m > 0x7f80_0000 { 0x7e00 } else { 0x7c00 };
    let v = if m < 113 << 23 { denormal } else { normal };
    let v = if m >= 143 << 23 { large } else { v };
    v | sign
}

/// Exact.
#[inline(always)]
pub(crate) fn f16_to_f32(h: u16) -> f32 {
    let sign = u32::from(h & 0x8000) << 16;
    let m = u32::from(h & 0x7fff) << 13;
    // Scaled by 2^112: also right for denormals.
    let v = (f32::from_bits(m) * f32::from_bits(0x7780_0000)).to_bits();
    let v = if m >= 0x0f80_0000 { m | 0x7f80_0000 } else { v };
    f32::from_bits(v | sign)
}
