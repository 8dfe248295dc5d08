import { defineConfig } from 'drizzle-kit'

// oxlint-disable-next-line no-default-export -- drizzle-kit reads the default export
export default defineConfig({ dialect: 'postgresql', schema: './src/core/store/schema/index.ts', out: './drizzle' })
