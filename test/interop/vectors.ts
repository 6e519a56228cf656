import { readFileSync, readdirSync } from 'node:fs'
import { join } from 'node:path'

import { sharedDirectory } from '../support/shared.ts'

/** Returns the parsed JSON of a vector file. */
export function jsonVectors(path: string): unknown {
  return JSON.parse(text(path))
}

/** Returns the cases of a text file: every line but blank ones and comments, spaces kept. */
export function lineVectors(path: string): string[] {
  return text(path)
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('#'))
}

/** Returns the parsed JSON of every vector file of a folder. */
export function jsonFolder(path: string): unknown[] {
  return readdirSync(join(sharedDirectory, 'vectors', path)).map((file) => jsonVectors(join(path, file)))
}

function text(path: string): string {
  return readFileSync(join(sharedDirectory, 'vectors', path), 'utf8')
}
