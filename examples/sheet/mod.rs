//! Pictures of digits beside each other, as one file.

/// Pictures of 28×28 numbers between 0 and 1, so many in a row, as a Windows bitmap: what every program
/// shows and a few lines write.
pub fn sheet(pictures: &[f32], in_a_row: usize) -> Vec<u8> {
    let rows = pictures.len() / 784 / in_a_row;
    let (width, height) = (in_a_row * 28, rows * 28);
    // Three bytes for a point; 28 of them fill whole words, as rows must.
    let size = 3 * width * height;
    let mut bitmap = b"BM".to_vec();
    for number in [54 + size, 0, 54, 40, width, height, 1 | 24 << 16, 0, size] {
        bitmap.extend((number as u32).to_le_bytes());
    }
    bitmap.resize(54, 0);
    // The lowest row comes first.
    for (row, column) in (0..width * height).map(|i| (height - 1 - i / width, i % width)) {
        let picture = row / 28 * in_a_row + column / 28;
        let point = pictures[picture * 784 + row % 28 * 28 + column % 28];
        bitmap.extend([(point * 255.0) as u8; 3]);
    }
    bitmap
}
