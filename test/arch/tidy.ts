/** Checks of form over all files; every function returns sentences that say what is wrong and what to do. */
import { posix } from 'node:path'

import type { ProjectFile } from './project-files.ts'

/** Longest source and test file, in lines. */
export const sourceLinesMax = 500
export const testLinesMax = 600

/** Files that are too long. */
export function longFiles(files: readonly ProjectFile[]): string[] {
  return files.flatMap(({ path, text }) => {
    const lines = text.split('\n').length - 1
    const max = /\.test\.ts$|^test\//.test(path) ? testLinesMax : sourceLinesMax
    return lines > max ? [`${path} has ${lines} lines, more than ${max}: split it`] : []
  })
}

/** Reminders that nobody will find again, and marks that mean the same. */
export function looseEnds(files: readonly ProjectFile[]): string[] {
  return files.flatMap(({ path, text }) =>
    text.split('\n').flatMap((line, i) => {
      const mark = /\b(TODO(?!\(#\d+\):)|FIXME|XXX|HACK)\b/.exec(line)?.[0]
      return mark === undefined
        ? []
        : [`${path}:${i + 1} says ${mark}: do it, or write TODO(#issue): with its number`]
    }),
  )
}

/** Marks of a test that would run alone or not at all. */
export function silencedTests(files: readonly ProjectFile[]): string[] {
  return files.flatMap(({ path, text }) => {
    const mark = /\b(?:test|it|describe)\.(only|skip|todo|fails)\b/.exec(text)?.[0]
    return path.endsWith('.test.ts') && mark !== undefined
      ? [`${path} uses ${mark}: repair the test, or remove it`]
      : []
  })
}

/** Markdown files without exactly one title. */
export function titleProblems(files: readonly ProjectFile[]): string[] {
  return files.flatMap(({ path, text }) => {
    const titles = headings(text).filter(({ level }) => level === 1)
    return titles.length === 1
      ? []
      : [`${path} has ${titles.length} titles (lines that start with #): it needs one`]
  })
}

/** Relative links of Markdown files that lead nowhere: to a missing file, or to a heading that is not there. */
export function deadLinks(files: readonly ProjectFile[], exists: (path: string) => boolean): string[] {
  const byPath = new Map(files.map((file) => [file.path, file.text]))
  return files.flatMap(({ path, text }) =>
    linksOf(text).flatMap((link) => {
      if (/^[a-z][a-z+.-]*:/i.test(link)) return []
      const [file = '', anchor] = link.split('#')
      const target = file === '' ? path : posix.normalize(posix.join(posix.dirname(path), decodeURI(file)))
      if (!exists(target)) return [`${path} links to ${link}, which is not there`]
      const targetText = byPath.get(target)
      if (anchor === undefined || targetText === undefined) return []
      const isThere = headings(targetText).some(({ title }) => slug(title) === anchor)
      return isThere ? [] : [`${path} links to ${link}, but ${target} has no such heading`]
    }),
  )
}

function linksOf(markdown: string): string[] {
  const prose = withoutCode(markdown)
  return [...prose.matchAll(/\]\(([^)\s]+)(?:\s+"[^"]*")?\)/g)].map((match) => match[1] ?? '')
}

function headings(markdown: string): { level: number; title: string }[] {
  return [...withoutFences(markdown).matchAll(/^(#{1,6})\s+(.+?)\s*#*$/gm)].map((match) => ({
    level: match[1]?.length ?? 0,
    title: match[2] ?? '',
  }))
}

/** The anchor that a heading gets where the documents are read. */
function slug(title: string): string {
  return title
    .toLowerCase()
    .replace(/[^\p{Letter}\p{Number}\s_-]/gu, '')
    .replace(/\s/g, '-')
}

function withoutFences(markdown: string): string {
  return markdown.replace(/^(```|~~~)[^]*?^\1/gm, '')
}

function withoutCode(markdown: string): string {
  return withoutFences(markdown).replace(/`[^`\n]*`/g, '')
}
