#!/usr/bin/perl
# SPDX-License-Identifier: MIT
# A log from Perl through the mount: File::Map maps a file as a string.
#     perl mapped.pl append LOG TEXT... | read LOG | follow LOG
use strict;
use warnings;
use File::Map qw(:all);

sub append {
    my ($log, @texts) = @_;
    for my $text (@texts) {
        open my $file, '>', "$log/append" or die "$log/append: $!";
        print $file "$text\n";
        close $file or die "append: $!";
    }
}

sub read_segment {
    my ($name) = @_;
    my ($index, $start) = ($name =~ /(\d+)\.idx$/, 0);
    return unless -s $name;
    map_file my $records, $name, '<';
    $name =~ s/idx$/log/;
    open my $file, '<', $name or die "$name: $!";
    return unless -s $file;
    map_handle my $data, $file, '<';
    $index += 0;    # "00000000000000000042" is 42
    for (my $at = 0; $at < length $records; $at += 24) {
        my $end = unpack 'V', substr $records, $at, 4;
        die "entry $index has no end\n"
            if $end < $start || $end > length $data;
        print "$index: ", substr($data, $start, $end - $start);
        $start = $end;
        $index++;
    }
    # Private: copied where it is written to, the log does not change.
    sys_map my $copy, length $data, PROT_READ | PROT_WRITE, MAP_PRIVATE, $file;
    substr($copy, 0, 1) = '*';
    print 'copy ', substr($copy, 0, 1), ', log ', substr($data, 0, 1), "\n";
}

sub follow {
    my ($log) = @_;
    $| = 1;
    open my $file, '<', "$log/follow" or die "$log/follow: $!";
    print while <$file>;
}

my ($command, $log, @texts) = @ARGV;
append($log, @texts) if $command eq 'append';
follow($log) if $command eq 'follow';
if ($command eq 'read') { read_segment($_) for sort glob "$log/segments/*.idx" }
