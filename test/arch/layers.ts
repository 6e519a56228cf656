/** The layer rule and what follows from it; every function returns sentences that say what is wrong and what to do. */
import { dirname, join } from 'node:path'

import type { Manifest, ProjectFile } from './project-files.ts'

/** Dependencies within one layer that are part of the design; all others point strictly downwards. */
const sameLayer: Record<string, string[]> = {
  syntax: ['std'],
  repo: ['std', 'syntax'],
  lexicon: ['std', 'syntax'],
  db: ['telemetry'],
  redis: ['telemetry'],
  jobs: ['db', 'redis', 'telemetry'],
  blobs: ['telemetry'],
  http: ['config', 'telemetry'],
  accounts: ['events', 'tenants'],
  identity: ['accounts'],
  'lexicon-resolver': ['identity'],
  records: ['accounts', 'events', 'identity'],
  archives: ['accounts', 'records'],
  moves: ['accounts', 'records'],
  oauth: ['accounts', 'identity'],
  moderation: ['accounts'],
  mail: ['accounts', 'tenants'],
}

const scope = '@rookery/'

/** Every dependency that does not point to a lower layer and is not one of the agreed exceptions. */
export function layerProblems(packages: readonly Manifest[]): string[] {
  const layers = new Map(packages.map(({ name, layer }) => [name, layer]))
  return packages.flatMap(({ name, layer, dependencies }) =>
    dependencies.flatMap((dependency) => {
      const below = layers.get(dependency)
      if (below === undefined || layer === 'T') return []
      if (below === 'T') {
        return [`${name} depends on the test kit: only tests may, so it belongs in devDependencies`]
      }
      if (typeof layer !== 'number' || typeof below !== 'number') {
        return [`${name} or ${dependency} has no "rookery": { "layer": n } in its package.json`]
      }
      const short = (full: string) => full.slice(scope.length)
      if (
        below < layer ||
        (below === layer && sameLayer[short(name)]?.includes(short(dependency)) === true)
      ) {
        return []
      }
      return [
        `${name} (layer ${layer}) depends on ${dependency} (layer ${below}): dependencies point to lower layers; move what it needs down, or pass it in as a parameter`,
      ]
    }),
  )
}

/** Whether a file is a test or serves only tests. */
function isTestFile(path: string): boolean {
  return /\.test\.ts$|(^|\/)(tests|test-support)\/|^test\/|^packages\/testkit\//.test(path)
}

/** Workspace packages that production code imports without having them as a dependency. */
export function undeclaredImports(packages: readonly Manifest[], files: readonly ProjectFile[]): string[] {
  return files.flatMap(({ path, text }) => {
    const owner = packages.find(({ folder }) => path.startsWith(`${folder}/src/`))
    if (owner === undefined || isTestFile(path)) return []
    return importsOf(text)
      .filter((name) => name.startsWith(scope) && !owner.dependencies.includes(packageOf(name)))
      .map((name) => `${path} imports ${name}: add it to the dependencies of ${owner.name}`)
  })
}

/** Relative imports that leave their package, and imports that reach into another's files. */
export function strayImports(packages: readonly Manifest[], files: readonly ProjectFile[]): string[] {
  const isOffered = (name: string): boolean => {
    const [, short, ...path] = name.split('/')
    const from = packages.find((other) => other.name === `${scope}${short}`)
    return path.length === 0 || from?.entries.includes(path.join('/')) === true
  }
  return files.flatMap(({ path, text }) => {
    const owner = packages.find(({ folder }) => path.startsWith(`${folder}/`))
    if (owner === undefined) return []
    return importsOf(text).flatMap((name) => {
      // The project's own manifest tells the version.
      if (join(dirname(path), name) === 'package.json') return []
      if (name.startsWith('.') && !join(dirname(path), name).startsWith(`${owner.folder}/`)) {
        return [`${path} imports ${name}, which lies outside its package: import the package by name`]
      }
      return name.startsWith(scope) && !isOffered(name)
        ? [`${path} imports ${name}: import what the package's index.ts exports`]
        : []
    })
  })
}

/** Layer 0 is pure: no clock, no environment, no randomness, no modules of Node.js but a few pure ones. */
export function impurities(packages: readonly Manifest[], files: readonly ProjectFile[]): string[] {
  const pure = packages.filter(({ layer }) => layer === 0)
  const allowedModules = new Set(['node:crypto', 'node:assert', 'node:events'])
  const impure =
    /\b(Date\.now|Math\.random|performance\.now|process\.env|randomBytes|getRandomValues|setTimeout|setInterval)\b|new Date\(\)/
  return files.flatMap(({ path, text }) => {
    const isPure = pure.some(({ folder }) => path.startsWith(`${folder}/src/`))
    // The loop takes its timer from the platform, and says so.
    if (!isPure || isTestFile(path) || path === 'packages/std/src/loop.ts') return []
    const modules = importsOf(text).filter((name) => name.startsWith('node:') && !allowedModules.has(name))
    const use = impure.exec(withoutComments(text))?.[0]
    return [
      ...modules.map((name) => `${path} imports ${name}: layer 0 is pure; take what it gives as a parameter`),
      ...(use === undefined ? [] : [`${path} uses ${use}: layer 0 is pure; take the value as a parameter`]),
    ]
  })
}

/** Things that have one place in the whole project, met elsewhere. */
export function misplaced(files: readonly ProjectFile[]): string[] {
  return files.flatMap(({ path, text }) => {
    if (isTestFile(path) || !/^(apps|packages)\/[^/]+\/src\//.test(path)) return []
    const code = withoutComments(text)
    return places
      .filter(({ pattern, allowed }) => pattern.test(code) && !allowed.test(path))
      .map(({ advice }) => `${path} ${advice}`)
  })
}

const places = [
  {
    pattern: /\bprocess\.env\b/,
    allowed: /^packages\/config\/|^apps\/[^/]+\/src\/main\.ts$/,
    advice: 'reads process.env: declare the variable in packages/config and take the configuration',
  },
  {
    pattern: /(?<![.#\w]|function |async )fetch\((?!\))/,
    allowed: /^packages\/http\//,
    advice: 'calls fetch: use safeFetch of @rookery/http, which refuses private addresses',
  },
  {
    pattern: /\b(sql`|PostgresDialect|new (pg\.)?(Pool|Client)\()|\bstatement[<(]|\.query\((?!'select 1')/,
    allowed: /^packages\/db\/|^packages\/[^/]+\/src\/(.*\/)?([a-z-]+-)?queries\.ts$/,
    advice: 'holds SQL: it belongs in packages/db or in a queries.ts of its package',
  },
  {
    pattern: /\bsetInterval\(/,
    allowed: /^$/,
    advice: 'calls setInterval: use Loop of @rookery/std, which neither overlaps nor outlives its owner',
  },
  {
    pattern: /\bprocess\.exit\(/,
    allowed: /^packages\/http\/src\/run-service\.ts$|\/src\/main\.ts$/,
    advice: 'calls process.exit: throw, and let main.ts decide',
  },
]

function importsOf(text: string): string[] {
  return [...text.matchAll(/(?:\bfrom|\bimport)\s*\(?\s*'([^']+)'/g)].map((match) => match[1] ?? '')
}

function packageOf(specifier: string): string {
  return specifier.split('/').slice(0, 2).join('/')
}

/** Blanks comments; good enough for code without comment marks inside strings of interest. */
function withoutComments(text: string): string {
  return text.replace(/\/\*[^]*?\*\//g, '').replace(/(^|[\s;])\/\/.*$/gm, '$1')
}
