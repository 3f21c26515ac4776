// SPDX-License-Identifier: MIT
// A log from Node through the mount: fs, and mmap from npm's @riaskov/mmap-io.
//     node mapped.js append LOG TEXT... | read LOG | follow LOG
'use strict'
const fs = require('fs')
const { map, MAP_PRIVATE, MAP_SHARED, PROT_READ, PROT_WRITE } =
    require('@riaskov/mmap-io')

// A Buffer that is the file, without a copy.
function mapped(path, protection, sharing) {
    const fd = fs.openSync(path)
    try {
        const size = fs.fstatSync(fd).size
        return size ? map(size, protection, sharing, fd) : Buffer.alloc(0)
    } finally {
        fs.closeSync(fd)
    }
}

function append(log, texts) {
    for (const text of texts) fs.writeFileSync(`${log}/append`, text + '\n')
}

function read(log) {
    const names = fs.readdirSync(`${log}/segments`).sort()
    for (const name of names.filter(name => name.endsWith('.idx'))) {
        const path = `${log}/segments/${name.slice(0, 20)}`
        const records = mapped(path + '.idx', PROT_READ, MAP_SHARED)
        const data = mapped(path + '.log', PROT_READ, MAP_SHARED)
        let index = BigInt(name.slice(0, 20)), start = 0
        for (let at = 0; at < records.length; at += 24) {
            const end = records.readUInt32LE(at)
            if (end < start || end > data.length)
                throw Error(`entry ${index} has no end`)
            process.stdout.write(`${index}: ${data.subarray(start, end)}`)
            start = end
            index++
        }
        if (!start) continue
        // Private: copied where it is written to, the log does not change.
        const copy = mapped(path + '.log', PROT_READ | PROT_WRITE, MAP_PRIVATE)
        copy[0] = '*'.charCodeAt()
        console.log('copy %s, log %s', String.fromCharCode(copy[0]),
            String.fromCharCode(data[0]))
    }
}

async function follow(log) {
    const stream = fs.createReadStream(`${log}/follow`)
    for await (const line of require('readline').createInterface(stream))
        console.log(line)
}

const [command, log, ...texts] = process.argv.slice(2)
;({ append, read, follow })[command](log, texts)
