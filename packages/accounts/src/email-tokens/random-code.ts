import { randomInt } from 'node:crypto'

const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'
const groupLength = 5

/** Returns a code that people can type: `XXXXX-XXXXX`, 50 random bits. */
export function randomCode(): string {
  return `${randomGroup()}-${randomGroup()}`
}

function randomGroup(): string {
  return Array.from({ length: groupLength }, () => alphabet[randomInt(alphabet.length)]).join('')
}
