# Completion of tschedctl for fish. tschedctl itself knows what could stand where: see COMPLETE_VERB in
# src/ctl/complete.h.

function __tschedctl_complete
    set -l words (commandline -opc)
    set -l current (commandline -ct | string unescape)
    test (count $current) -gt 0; or set current ''
    for line in (command $words[1] __complete $words[2..-1] $current 2>/dev/null)
        set -l parts (string split \t -- $line)
        if test -n "$parts[1]"
            echo $line
            continue
        end
        # What is no word but a kind of thing; parts[3] is what stands before its name.
        set -l name (string sub -s (math (string length -- "$parts[3]") + 1) -- $current)
        switch $parts[2]
            case file
                string replace -r -- '^' "$parts[3]" (__fish_complete_path $name)
            case directory
                string replace -r -- '^' "$parts[3]" (__fish_complete_directories $name '')
            case user
                string replace -r -- '^' "$parts[3]" (__fish_complete_users)
            case host
                string replace -r -- '^' "$parts[3]" (__fish_print_hostnames)
        end
    end
end

complete -c tschedctl -f -a '(__tschedctl_complete)'
