// SPDX-License-Identifier: Apache-2.0
// For packages that were made for bundlers: './x' may mean './x.js' or './x/index.js'.
export async function resolve(specifier, context, next) {
  for (const end of ['', '.js', '/index.js']) {
    try {
      return await next(specifier + end, context);
    } catch (e) {
      if (end === '/index.js' || !specifier.startsWith('.')) {
        throw e;
      }
    }
  }
  return undefined;
}
