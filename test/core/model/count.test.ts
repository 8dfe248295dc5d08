import { expect, test } from 'vitest'
import { count, thereAre } from '../../../src/core/model/count.ts'

test.each([
  [0, 'no keys', 'no registries', 'There are no keys'],
  [1, 'one key', 'one registry', 'There is one key'],
  [2, '2 keys', '2 registries', 'There are 2 keys'],
])('%i', (many, keys, registries, there) => {
  expect([count(many, 'key'), count(many, 'registry', 'registries'), thereAre(many, 'key')]).toEqual([
    keys,
    registries,
    there,
  ])
})
