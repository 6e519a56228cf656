/**
 * Headers of Node.js for building the reference's native SQLite module.
 *
 * Since 24.21 the class `ObjectWrap` of `node_object_wrap.h` registers a cleanup hook in its constructor and removes
 * it in its destructor, which also runs during garbage collection, where no environment is current: a module that is
 * compiled against it aborts the process (`Assertion failed: (env) != nullptr`). The hooks matter only at the end of
 * a worker thread, which the reference does not use, so a copy of the headers without the two calls is safe.
 */
import { spawnSync } from 'node:child_process'
import { cpSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'

import { SetUpError } from '@rookery/local'

/**
 * Makes a folder for `node-gyp --nodedir` that holds the headers of the running Node.js, without the hooks.
 *
 * @throws {SetUpError} if the headers are neither beside the running Node.js nor on npm.
 */
export function patchedHeaders(dir: string): string {
  const target = join(dir, 'headers')
  rmSync(target, { recursive: true, force: true })
  mkdirSync(join(target, 'include'), { recursive: true })
  cpSync(findHeaders(dir), join(target, 'include/node'), { recursive: true })
  const file = join(target, 'include/node/node_object_wrap.h')
  writeFileSync(file, withoutCleanupHooks(readFileSync(file, 'utf8')))
  return target
}

/** Removes the two calls; text of a Node.js that does not have them comes back unchanged. */
export function withoutCleanupHooks(header: string): string {
  return header.replace(/^\s*(?:Add|Remove)CleanupHook\(\);\n/gm, '')
}

function findHeaders(dir: string): string {
  const besideNode = headersBeside(process.execPath)
  if (besideNode !== undefined) return besideNode
  // Distributions leave the headers out; the npm package of the same version has them.
  const home = join(dir, 'node')
  const args = ['install', '--prefix', home, '--no-audit', '--no-fund', '--loglevel=error']
  mkdirSync(home, { recursive: true })
  const ran = spawnSync('npm', [...args, `node@${process.versions.node}`], { stdio: ['ignore', 2, 2] })
  const installed = headersBeside(join(home, 'node_modules/node/bin/node'))
  if (ran.status === 0 && installed !== undefined) return installed
  throw new SetUpError(
    `the headers of Node.js ${process.version} are neither beside ${process.execPath} nor on npm: ` +
      'install a Node.js that brings them (include/node)',
  )
}

function headersBeside(program: string): string | undefined {
  const root = dirname(dirname(program))
  // The npm package `node` keeps the program in `bin` and all else in a package for the platform.
  const platform = `node_modules/node-${process.platform}-${process.arch}`
  const places = [root, join(root, platform), join(dirname(root), platform.replace('node_modules/', ''))]
  return places
    .map((place) => join(place, 'include/node'))
    .find((place) => existsSync(join(place, 'node_object_wrap.h')))
}
