// Answers by npm's own `semver` what the test asks: argv[2] is the package's folder, argv[3] a file
// of questions, argv[4] the file for the answers. Everything is read loosely, as npm does for what
// registries serve.
const { readFileSync, writeFileSync } = require('node:fs')
const semver = require(process.argv[2])
const questions = JSON.parse(readFileSync(process.argv[3], 'utf8'))

const loose = true
const parsed = questions.versions.map((text) => semver.parse(text, { loose }))
const versions = parsed.map((version) => version && version.version)
const order = parsed.slice(0, questions.compared).map((_, left) =>
  parsed
    .slice(0, questions.compared)
    .map((_, right) =>
      parsed[left] && parsed[right]
        ? '<=>'[semver.compare(parsed[left], parsed[right], { loose }) + 1]
        : '?',
    )
    .join(''),
)
const ranges = questions.ranges.map(({ text, versions }) => {
  try {
    const range = new semver.Range(text, { loose })
    const answers = versions.map((index) => (range.test(parsed[index]) ? '1' : '0')).join('')
    return { text: range.range, answers }
  } catch {
    return null
  }
})
writeFileSync(process.argv[4], JSON.stringify({ versions, order, ranges }))
