import { existsSync, readFileSync, readdirSync } from 'node:fs'
import { join, resolve } from 'node:path'

/** The root of the project. */
export const projectDir = resolve(import.meta.dirname, '../..')

/** A file of ours, with its path from the root. */
export type ProjectFile = { path: string; text: string }

const skipped = new Set([
  'node_modules',
  '.git',
  '.local',
  '.turbo',
  'coverage',
  'generated',
  'vectors',
  'documents',
])

/** Every file of the project with one of the extensions, generated ones left out, sorted by path. */
export function projectFiles(...extensions: string[]): ProjectFile[] {
  const found: ProjectFile[] = []
  const visit = (dir: string) => {
    for (const entry of readdirSync(join(projectDir, dir), { withFileTypes: true })) {
      const path = join(dir, entry.name)
      if (entry.isDirectory() && !skipped.has(entry.name)) visit(path)
      const isWanted = extensions.some((extension) => entry.name.endsWith(extension))
      if (entry.isFile() && isWanted && !entry.name.includes('.generated.')) {
        found.push({ path, text: readFileSync(join(projectDir, path), 'utf8') })
      }
    }
  }
  visit('')
  return found.sort((a, b) => (a.path < b.path ? -1 : 1))
}

/** What the layer rule needs to know of a workspace package. */
export type Manifest = {
  /** Folder from the root. */
  folder: string
  name: string
  /** A number, or `T` for the test kit. */
  layer: number | string
  dependencies: string[]
  devDependencies: string[]
  /** What can be imported beside the index: parts that are wanted where the rest would only take memory. */
  entries: string[]
}

/** All workspace packages that have a layer. */
export function manifests(): Manifest[] {
  const folders = ['apps', 'packages', 'infra'].flatMap((group) =>
    readdirSync(join(projectDir, group)).map((name) => join(group, name)),
  )
  return folders
    .filter((folder) => existsSync(join(projectDir, folder, 'package.json')))
    .map((folder) => {
      const manifest = JSON.parse(readFileSync(join(projectDir, folder, 'package.json'), 'utf8')) as {
        name: string
        rookery?: { layer: number | string }
        dependencies?: Record<string, string>
        devDependencies?: Record<string, string>
        exports?: Record<string, string>
      }
      return {
        folder,
        name: manifest.name,
        layer: manifest.rookery?.layer ?? 'none',
        dependencies: Object.keys(manifest.dependencies ?? {}),
        devDependencies: Object.keys(manifest.devDependencies ?? {}),
        entries: Object.keys(manifest.exports ?? {}).map((entry) => entry.replace('./', '')),
      }
    })
}
