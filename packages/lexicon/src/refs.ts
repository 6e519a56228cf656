import type { Definition } from './definition.ts'

/** Returns the references in a definition, as they are written: `nsid`, `nsid#name` or `#name`. */
export function refsOf(definition: Definition): string[] {
  const refs: string[] = []
  const open: unknown[] = [definition]
  for (let value = open.pop(); value !== undefined; value = open.pop()) {
    if (typeof value !== 'object' || value === null) continue
    const { type, ref, refs: several } = value as { type?: unknown; ref?: unknown; refs?: unknown }
    if (type === 'ref' && typeof ref === 'string') refs.push(ref)
    else if (type === 'union' && Array.isArray(several)) refs.push(...(several as string[]))
    else open.push(...Object.values(value))
  }
  return refs
}
