const base64Pattern = /^[A-Za-z0-9+/]*={0,2}$/

/** Tells whether the text is base64 of RFC 4648's standard alphabet, padded or not (SPEC DM-6). */
export function isBase64(text: string): boolean {
  if (!base64Pattern.test(text)) return false
  return text.endsWith('=') ? text.length % 4 === 0 : text.length % 4 !== 1
}

/** Returns how many bytes a base64 text stands for. */
export function base64Bytes(text: string): number {
  const end = text.indexOf('=')
  return Math.floor(((end < 0 ? text.length : end) * 3) / 4)
}
