import { defineConfig } from 'oxlint'

export default defineConfig({
  plugins: ['typescript', 'unicorn', 'oxc', 'import', 'vitest'],
  categories: { correctness: 'error', suspicious: 'error' },
  rules: {
    'eslint/no-console': 'error',
    'eslint/max-lines': ['error', { max: 500 }],
    'eslint/max-lines-per-function': ['error', { max: 70, skipBlankLines: true, skipComments: true }],
    'eslint/no-await-in-loop': 'off',
    'eslint/no-shadow': 'off',
    'eslint/no-underscore-dangle': 'off',
    'import/no-default-export': 'error',
    'import/no-unassigned-import': 'off',
    'import/no-named-as-default-member': 'off',
    'typescript/await-thenable': 'error',
    'typescript/no-floating-promises': 'error',
    'typescript/no-misused-promises': 'error',
    // The edges parse what comes from outside; inside, an assertion states what a query or a mapped type guarantees.
    'typescript/no-unsafe-type-assertion': 'off',
    'typescript/switch-exhaustiveness-check': 'error',
    'typescript/consistent-type-imports': 'error',
    'unicorn/no-array-sort': 'off',
    'unicorn/consistent-function-scoping': 'off',
    'vitest/require-mock-type-parameters': 'off',
    'vitest/expect-expect': ['error', { assertFunctionNames: ['expect', 'nothingIsLost', 'checkHistory'] }],
    'vitest/valid-expect': ['error', { maxArgs: 2 }],
  },
  ignorePatterns: ['**/generated/**', '**/*.generated.*'],
  overrides: [
    {
      files: ['**/*.test.ts', '**/tests/**'],
      rules: { 'eslint/max-lines-per-function': 'off', 'eslint/max-lines': ['error', { max: 600 }] },
    },
    { files: ['*.config.ts'], rules: { 'import/no-default-export': 'off' } },
    { files: ['infra/local/**', 'apps/ctl/**', 'apps/*/src/main.ts'], rules: { 'eslint/no-console': 'off' } },
  ],
})
