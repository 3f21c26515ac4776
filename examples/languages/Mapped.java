// SPDX-License-Identifier: MIT
// A log from Java through the mount: FileChannel.map.
//     java Mapped.java append LOG TEXT... | read LOG | follow LOG
import java.io.IOException;
import java.nio.*;
import java.nio.channels.FileChannel;
import java.nio.file.*;
import java.util.*;

class Mapped {
    static ByteBuffer map(Path path) throws IOException {
        try (FileChannel file = FileChannel.open(path)) {
            return file.map(FileChannel.MapMode.READ_ONLY, 0, file.size())
                    .order(ByteOrder.LITTLE_ENDIAN);
        }
    }

    static void readSegment(Path idx) throws IOException {
        String name = idx.getFileName().toString().substring(0, 20);
        ByteBuffer records = map(idx);
        ByteBuffer data = map(idx.resolveSibling(name + ".log"));
        long index = Long.parseLong(name);
        for (int at = 0, start = 0; at < records.limit(); at += 24) {
            int end = records.getInt(at);
            if (end < start || end > data.limit())
                throw new IOException("entry " + index + " has no end");
            byte[] entry = new byte[end - start];
            data.get(start, entry);
            System.out.print(index++ + ": " + new String(entry));
            start = end;
        }
        if (data.limit() == 0)
            return;
        // Java maps as PRIVATE only what it may write; a copy is a new buffer.
        ByteBuffer copy = ByteBuffer.allocate(data.limit()).put(data);
        copy.put(0, (byte) '*');
        System.out.printf("copy %c, log %c\n", copy.get(0), data.get(0));
    }

    public static void main(String[] args) throws IOException {
        Path log = Path.of(args[1]);
        if (args[0].equals("append"))
            for (String text : Arrays.asList(args).subList(2, args.length))
                Files.writeString(log.resolve("append"), text + "\n",
                        StandardOpenOption.WRITE);
        if (args[0].equals("read"))
            try (var found = Files.newDirectoryStream(
                    log.resolve("segments"), "*.idx")) {
                var names = new TreeSet<Path>();
                found.forEach(names::add);
                for (Path name : names) readSegment(name);
            }
        if (args[0].equals("follow"))
            try (var lines = new Scanner(log.resolve("follow"))) {
                while (lines.hasNextLine())
                    System.out.println(lines.nextLine());
            }
    }
}
