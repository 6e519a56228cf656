/** Returns the bytes of a secret as a page shows it: base32, in groups. */
export function base32(text: string): Buffer {
  const bits = Array.from(text.replaceAll(' ', ''), (char) =>
    'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'.indexOf(char).toString(2).padStart(5, '0'),
  )
  return Buffer.from((bits.join('').match(/.{8}/g) ?? []).map((byte) => Number.parseInt(byte, 2)))
}
