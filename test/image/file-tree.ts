import { lstat, readFile, readdir, readlink } from 'node:fs/promises'
import { join, relative } from 'node:path'

/** Paths of files and links below a folder. */
export async function filesBelow(dir: string): Promise<string[]> {
  const entries = await readdir(dir, { recursive: true, withFileTypes: true })
  const files = entries.filter((entry) => entry.isFile() || entry.isSymbolicLink())
  return files.map((entry) => relative(dir, join(entry.parentPath, entry.name))).sort()
}

/** Paths whose content, mode or target differs, or that only one of the folders has. */
export async function differences(one: string, other: string): Promise<string[]> {
  const names = new Set([...(await filesBelow(one)), ...(await filesBelow(other))])
  const compared = await Promise.all([...names].map((name) => compare(name, one, other)))
  return compared.filter(({ isSame }) => !isSame).map(({ name }) => name)
}

async function compare(name: string, one: string, other: string): Promise<{ name: string; isSame: boolean }> {
  const first = await contentOf(join(one, name), one)
  return { name, isSame: first !== undefined && first === (await contentOf(join(other, name), other)) }
}

/** The target of a link, or a file's mode and content; undefined if nothing is there. */
async function contentOf(path: string, dir: string): Promise<string | undefined> {
  const about = await lstat(path).catch(() => undefined)
  if (about?.isSymbolicLink() === true) return `link ${await readlink(path)}`
  // pnpm links to the one file in its store, if that is on the same file system.
  if (about === undefined || about.nlink > 1) return about && `file ${about.ino}`
  // An image has everything in the same place always.
  return `file ${about.mode} ${(await readFile(path, 'latin1')).replaceAll(dir, '')}`
}
