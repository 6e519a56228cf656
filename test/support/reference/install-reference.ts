/** Brings the reference PDS from npm into a folder of its own: it is measured, never a dependency. */
import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { delimiter, dirname, join } from 'node:path'

import { SetUpError } from '@rookery/local'
import { patchedHeaders } from './node-headers.ts'

const packages = ['@atproto/pds@latest', '@did-plc/server@latest']

/** An installed reference PDS. */
export type ReferenceInstall = { dir: string; version: string }

/**
 * Installs the newest reference PDS and builds its SQLite module, unless that was done for this Node.js before.
 *
 * @param options.parentDir where its folder, and that of the headers, lie.
 * @param options.update installs anew even if it was.
 * @throws {SetUpError} if npm, a compiler or Python is missing, or a step fails.
 */
export function installReference(options: {
  parentDir: string
  update: boolean
  say: (text: string) => void
}): ReferenceInstall {
  const { parentDir, update, say } = options
  const dir = join(parentDir, 'reference')
  const stamp = join(dir, '.built')
  const wanted = `${process.version} ${process.arch}\n`
  if (update || !existsSync(stamp) || readFileSync(stamp, 'utf8') !== wanted) {
    requireCompiler()
    rmSync(stamp, { force: true })
    mkdirSync(dir, { recursive: true })
    if (!existsSync(join(dir, 'package.json'))) writeFileSync(join(dir, 'package.json'), '{"private":true}\n')
    say(`installing ${packages.join(' and ')} from npm (a minute)`)
    npm(dir, ['install', '--ignore-scripts', ...packages], {})
    say('building better-sqlite3 (a minute or two)')
    const environment = {
      npm_config_build_from_source: 'true',
      npm_config_nodedir: patchedHeaders(parentDir),
    }
    npm(dir, ['rebuild', '--foreground-scripts', 'better-sqlite3'], environment)
    writeFileSync(stamp, wanted)
  }
  const manifest = readFileSync(join(dir, 'node_modules/@atproto/pds/package.json'), 'utf8')
  return { dir, version: (JSON.parse(manifest) as { version: string }).version }
}

function requireCompiler(): void {
  const missing = ['c++', 'make', 'python3'].filter(
    (program) => spawnSync(program, ['--version'], { stdio: 'ignore' }).status !== 0,
  )
  if (missing.length === 0) return
  throw new SetUpError(
    `the reference PDS needs ${missing.join(', ')} to build better-sqlite3: ` +
      'install them (Debian: apt-get install g++ make python3)',
  )
}

/** Runs npm with its output kept for the message of a failure. */
function npm(cwd: string, args: string[], settings: Record<string, string>): void {
  const path = `${dirname(process.execPath)}${delimiter}${process.env['PATH'] ?? ''}`
  // NOTE: `npm run` describes itself in variables which a nested npm would take for its own settings.
  const own = Object.entries(process.env).filter(([name]) => !/^npm_(lifecycle|package|command)/.test(name))
  const ran = spawnSync('npm', [...args, '--no-audit', '--no-fund', '--loglevel=error'], {
    cwd,
    env: { ...Object.fromEntries(own), ...settings, PATH: path },
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'pipe'],
    maxBuffer: 64 * 1024 * 1024,
  })
  if (ran.status === 0) return
  const output = `${ran.stdout ?? ''}${ran.stderr ?? ''}`.trim().split('\n').slice(-15).join('\n')
  throw new SetUpError(`npm ${args[0]} failed in ${cwd}: ${ran.error?.message ?? output}`)
}
