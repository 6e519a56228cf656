import { expect, test } from 'vitest'

import { GroupRead } from './group-read.ts'

/** A reader whose statements end when told, and the questions of each. */
function reader() {
  const statements: { questions: readonly number[]; end: (error?: Error) => void }[] = []
  const group = new GroupRead((questions: readonly number[]) => {
    const { promise, resolve, reject } = Promise.withResolvers<(string | undefined)[]>()
    const answers = questions.map((question) => (question < 0 ? undefined : `answer ${question}`))
    statements.push({
      questions,
      end: (error) => (error === undefined ? resolve(answers) : reject(error)),
    })
    return promise
  })
  return { group, statements }
}

const turn = () => new Promise((resolve) => setImmediate(resolve))

test('what is asked in one turn goes together, each gets its answer', async () => {
  const { group, statements } = reader()
  const answers = [3, -1, 5].map((question) => group.ask(question))
  await turn()
  expect(statements.map(({ questions }) => questions)).toEqual([[3, -1, 5]])
  statements[0]?.end()
  expect(await Promise.all(answers)).toEqual(['answer 3', undefined, 'answer 5'])
})

test('at most two statements run; what is asked meanwhile forms the next, of at most 32 questions', async () => {
  const { group, statements } = reader()
  const answers: Promise<string | undefined>[] = []
  for (let question = 0; question < 40; question++) {
    answers.push(group.ask(question))
    if (question < 2) await turn()
  }
  await turn()
  expect(statements.map(({ questions }) => questions)).toEqual([[0], [1]])
  for (let n = 0; n < 4; n++) {
    statements[n]?.end()
    await turn()
    await turn()
  }
  expect(statements.map(({ questions }) => questions.length)).toEqual([1, 1, 32, 6])
  expect(await Promise.all(answers)).toEqual(answers.map((_, n) => `answer ${n}`))
})

test('a question that PostgreSQL refuses fails alone', async () => {
  const refused = Object.assign(new Error('invalid byte sequence'), { code: '22021' })
  const group = new GroupRead((questions: readonly number[]) =>
    questions.includes(2) ? Promise.reject(refused) : Promise.resolve(questions),
  )
  const settled = await Promise.allSettled([1, 2, 3].map((question) => group.ask(question)))
  expect(settled).toEqual([
    { status: 'fulfilled', value: 1 },
    { status: 'rejected', reason: refused },
    { status: 'fulfilled', value: 3 },
  ])
  expect(await group.ask(4)).toBe(4)
})

test('a lost connection fails all who were asked for together, and nobody after them', async () => {
  const { group, statements } = reader()
  const lost = new Error('Connection terminated')
  const asked = [1, 2].map((question) => group.ask(question))
  await turn()
  statements[0]?.end(lost)
  for (const answer of await Promise.allSettled(asked)) expect(answer).toMatchObject({ reason: lost })
  expect(statements).toHaveLength(1)
  const next = group.ask(3)
  await turn()
  statements[1]?.end()
  expect(await next).toBe('answer 3')
})
