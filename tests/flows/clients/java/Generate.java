import com.sun.tools.ws.WsImport;
import java.util.Arrays;

/** java Generate.java FOLDER WSDL…: what `wsimport -keep -Xnocompile -d FOLDER WSDL` writes. */
public class Generate {
    public static void main(String[] arguments) throws Throwable {
        for (String wsdl : Arrays.copyOfRange(arguments, 1, arguments.length)) {
            String[] how = {"-quiet", "-Xnocompile", "-d", arguments[0], wsdl};
            if (WsImport.doMain(how) != 0) {
                System.exit(1);
            }
        }
    }
}
