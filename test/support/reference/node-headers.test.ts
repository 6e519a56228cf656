import { expect, test } from 'vitest'

import { withoutCleanupHooks } from './node-headers.ts'

test('removes the two calls and leaves the methods that they called', () => {
  const header = `  ObjectWrap() {
    refs_ = 0;
    AddCleanupHook();
  }
  virtual ~ObjectWrap() {
    RemoveCleanupHook();
    if (persistent().IsEmpty())
      return;
  }
  void AddCleanupHook() {
  }
`
  expect(withoutCleanupHooks(header)).toBe(`  ObjectWrap() {
    refs_ = 0;
  }
  virtual ~ObjectWrap() {
    if (persistent().IsEmpty())
      return;
  }
  void AddCleanupHook() {
  }
`)
})
