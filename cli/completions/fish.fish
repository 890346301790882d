# Tab completion of dispatch for fish, printed by `dispatch completions fish`.
# dispatch gets the typed words as arguments, and nothing evaluates them.
function __dispatch_complete
    set -l words (commandline -opc)
    set -l word (commandline -ct)
    set -l option (string match -r -- '^--[a-z-]+=' "$word")
    set -l path (string replace -r -- '^--[a-z-]+=' '' "$word")
    for line in (dispatch completions -- $words[2..-1] "$word" 2>/dev/null)
        switch $line
            case :file
                __fish_complete_path "$path" | string replace -r -- '^' "$option"
            case :folder
                __fish_complete_directories "$path" | string replace -r -- '^' "$option"
            case '*'
                echo $line
        end
    end
end
complete -c dispatch -f -k -a '(__dispatch_complete)'
