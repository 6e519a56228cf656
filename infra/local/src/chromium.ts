import { ensureProgram } from './system-program.ts'

/**
 * Finds Chromium, or installs it with fonts for letters and flags; returns its full path. For
 * tests only: nothing that `npm start` runs needs it.
 *
 * @throws {SetUpError} if neither works; the message says what to type.
 */
export function ensureChromium(): string {
  const packages = { apt: 'chromium fonts-dejavu-core fonts-noto-color-emoji', brew: 'chromium' }
  return ensureProgram({ name: 'chromium', packages, instead: '' })
}
