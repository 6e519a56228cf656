import { lstatSync, readdirSync } from 'node:fs'
import { join } from 'node:path'

/** Bytes of a disk that a folder and everything in it occupy; what vanishes meanwhile counts nothing. */
export function diskBytes(dir: string): number {
  return readdirSync(dir, { withFileTypes: true }).reduce((sum, entry) => {
    const path = join(dir, entry.name)
    return sum + (entry.isDirectory() ? diskBytes(path) : fileBytes(path))
  }, 0)
}

function fileBytes(path: string): number {
  try {
    return lstatSync(path).blocks * 512
  } catch {
    return 0
  }
}
