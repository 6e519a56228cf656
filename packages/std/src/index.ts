export { AssertionError, assert, must } from './assert.ts'
export { DomainError } from './errors.ts'
export { Loop, type LoopOptions } from './loop.ts'
export { dayMs, hourMs, minuteMs, secondMs } from './time.ts'
