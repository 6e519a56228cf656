import { existsSync, mkdirSync, readFileSync, renameSync, statSync } from 'node:fs'
import { join } from 'node:path'

/** A log this large is put aside when its process starts, in bytes; one older log is kept. */
const logBytesMax = 20 * 1024 * 1024

/** Path of a process's log in `<dir>/log`, ready to be appended to. */
export function logFile(dir: string, name: string): string {
  const folder = join(dir, 'log')
  mkdirSync(folder, { recursive: true })
  const file = join(folder, `${name}.log`)
  if (existsSync(file) && statSync(file).size > logBytesMax) renameSync(file, `${file}.1`)
  return file
}

/** The last lines of a log, for a message about a process that did not start. */
export function lastLines(file: string, count = 15): string {
  if (!existsSync(file)) return ''
  return readFileSync(file, 'utf8').trimEnd().split('\n').slice(-count).join('\n')
}
