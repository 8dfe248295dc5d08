import { registerHooks } from 'node:module'

// To resolve an ES module, Node looks for the package.json above it, anew for each file: a third of the time of a start, and
// 250 MB for drizzle-orm's alone, which has 447 exports. What a file of a package, or of ours, says of its neighbour needs
// no looking up.
const ours = new URL('.', import.meta.url).href
const packages = /\/node_modules\/(?:drizzle-orm|hono|zod)\/(?!.*\/cjs\/).*\.js$/

registerHooks({
  resolve(specifier, context, next) {
    const { parentURL } = context
    if (!parentURL || !specifier.startsWith('.')) return next(specifier, context)
    const url = new URL(specifier, parentURL).href
    if (url.startsWith(ours) && url.endsWith('.ts')) return { url, format: 'module-typescript', shortCircuit: true }
    if (packages.test(parentURL) && packages.test(url)) return { url, format: 'module', shortCircuit: true }
    return next(specifier, context)
  },
})
