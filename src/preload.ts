import { registerHooks } from 'node:module'

// To resolve an ES module, Node reads the package.json above it. drizzle-orm's has 447 exports and is parsed anew for each
// of its files, which costs half a second and 250 MB at start. Between its own .js files nothing needs to be looked up.
const inside = /\/node_modules\/drizzle-orm\/.*\.js$/

registerHooks({
  resolve(specifier, context, next) {
    if (!specifier.startsWith('.') || !inside.test(context.parentURL ?? '')) return next(specifier, context)
    const url = new URL(specifier, context.parentURL).href
    return inside.test(url) ? { url, format: 'module', shortCircuit: true } : next(specifier, context)
  },
})
