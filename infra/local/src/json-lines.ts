import { appendFileSync, existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'

/**
 * Reads all values of a file with one JSON value per line; an absent file is empty.
 * A last line cut short by a crash is dropped, because its writer never heard that it was kept.
 */
export function readJsonLines<T>(file: string): T[] {
  mkdirSync(dirname(file), { recursive: true })
  if (!existsSync(file)) return []
  const text = readFileSync(file, 'utf8')
  const whole = text.slice(0, text.lastIndexOf('\n') + 1)
  if (whole.length < text.length) writeFileSync(file, whole)
  const lines = whole.split('\n').filter((line) => line !== '')
  return lines.map((line) => JSON.parse(line) as T)
}

/** Adds one value at the end; on return it survives a crash of this process. */
export function appendJsonLine(file: string, value: unknown): void {
  appendFileSync(file, `${JSON.stringify(value)}\n`)
}

/** Replaces the whole file in one step. */
export function replaceJsonLines(file: string, values: readonly unknown[]): void {
  writeFileSync(`${file}.new`, values.map((value) => `${JSON.stringify(value)}\n`).join(''))
  renameSync(`${file}.new`, file)
}
